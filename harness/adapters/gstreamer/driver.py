"""GStreamer's webrtcbin behind the driver protocol of overheard, version 1: requests on standard input, replies and events
on standard output, logs on standard error. Runs with the Python of the system, where `gi` is."""

import asyncio
import ctypes
import datetime
import pathlib
import re
import secrets
import sys
import urllib.parse

import gi

for module in ("Gst", "GstSdp", "GstWebRTC"):
    gi.require_version(module, "1.0")
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
from device import Device, serve  # noqa: E402

CAPABILITIES = {word: True for word in ("frames", "audio", "video", "relay", "keys-export")}
# What every description of the harness has (design, section 1.7); an offer of others may have other payload types.
PAYLOAD_TYPES = {"audio": 111, "video": 96}
CODECS = {"audio": "OPUS", "video": "VP8"}
CAPS = {
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2",
    "video": "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000",
}
STEPS = {"audio": 48_000 // 50, "video": 90_000 // 30}
# Names of RFC 5764, section 4.1.2, for what srtpenc and srtpdec say.
PROFILES = {
    ("aes-128-icm", "hmac-sha1-80"): "SRTP_AES128_CM_HMAC_SHA1_80",
    ("aes-128-icm", "hmac-sha1-32"): "SRTP_AES128_CM_HMAC_SHA1_32",
}

Gst.init(None)
lacking = [name for name in ("appsrc", "rtpbin", "webrtcbin", "dtlsdec", "srtpdec", "nicesink") if not Gst.ElementFactory.find(name)]
if lacking:
    sys.exit(f"GStreamer has no {', '.join(lacking)}; install the packages that the README beside this file names")
Gst.ElementFactory.make("dtlsdec")  # makes the RSA key of the process, before anybody waits for it
key_lines = []
gobject = ctypes.CDLL("libgobject-2.0.so.0")
gobject.g_object_ref.argtypes, gobject.g_object_ref.restype = [ctypes.c_void_p], ctypes.c_void_p


def certificate():
    """For one call, with its key, and its fingerprint. GStreamer's own is made once per process, and with RSA, which
    clients that take ECDSA alone refuse."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "call")])
    now, day = datetime.datetime.utcnow(), datetime.timedelta(days=1)
    unsigned = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + 30 * day)
    pem = serialization.Encoding.PEM
    own_key = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made = unsigned.sign(key, hashes.SHA256())
    return (made.public_bytes(pem) + own_key).decode(), made.fingerprint(hashes.SHA256()).hex(":").upper()


def rtp(packet):
    """Payload type, marker, sequence number, SSRC and payload (RFC 3550, section 5.1); none where it is no RTP."""
    if len(packet) < 12 or packet[0] >> 6 != 2 or 64 <= packet[1] & 0x7F < 96:
        return None
    start = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    number, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
    return packet[1] & 0x7F, packet[1] >> 7, number, ssrc, packet[start:end]


def ends_handshake(datagram):
    """Whether it has a handshake message under the keys of the handshake: the last one of its sender (RFC 6347, 4.1)."""
    while len(datagram) > 12 and 20 <= datagram[0] <= 63:
        if datagram[0] == 22 and datagram[3:5] != b"\0\0":
            return True
        datagram = datagram[13 + int.from_bytes(datagram[11:13], "big") :]
    return False


def contents(buffer):
    return buffer.extract_dup(0, buffer.get_size())


class Outgoing:
    """The stream of one kind: whole packets, so that no payloader looks into what is sealed."""

    def __init__(self, connection, kind, payload_type):
        self.ssrc, self.step, self.payload_type = 1 + secrets.randbelow(2**31), STEPS[kind], payload_type
        self.sequence, self.timestamp = secrets.randbelow(2**16), secrets.randbelow(2**31)
        caps = Gst.Caps.from_string(f"{CAPS[kind]},payload={payload_type},ssrc=(uint){self.ssrc}")
        self.source = Gst.ElementFactory.make("appsrc")
        for name, value in (("caps", caps), ("is-live", True), ("format", Gst.Format.TIME), ("do-timestamp", True)):
            self.source.set_property(name, value)
        connection.pipeline.add(self.source)
        self.source.link(connection.webrtc)
        self.pad = self.source.get_static_pad("src").get_peer()
        self.pad.connect("notify::caps", lambda *_: connection.soon(connection.changed.set))
        self.source.sync_state_with_parent()

    def push(self, payloads):
        for at, payload in enumerate(payloads, 1):
            marker = 0x80 if at == len(payloads) > 0 and self.payload_is_video() else 0
            header = bytes([0x80, marker | self.payload_type]) + self.sequence.to_bytes(2, "big")
            header += self.timestamp.to_bytes(4, "big") + self.ssrc.to_bytes(4, "big")
            self.sequence = (self.sequence + 1) % 2**16
            self.source.emit("push-buffer", Gst.Buffer.new_wrapped(header + payload))
        self.timestamp = (self.timestamp + self.step) % 2**32

    def payload_is_video(self):
        return self.step == STEPS["video"]


class Connection:
    """A webrtcbin of one call, with all candidates in its descriptions."""

    def __init__(self, call):
        self.call, self.loop, self.streams = call, asyncio.get_running_loop(), {}
        self.payload_types, self.kept = dict(PAYLOAD_TYPES), []
        self.pem, self.fingerprint = certificate()
        self.sent = self.left = 0
        self.connected = self.finished = False
        self.setup_of_peer, self.candidates = None, ""
        self.changed, self.srtp = asyncio.Event(), {}
        self.pipeline, self.webrtc = Gst.Pipeline(), Gst.ElementFactory.make("webrtcbin")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.webrtc.set_property("latency", 0)
        self.webrtc.connect("deep-element-added", self.element_added)
        self.webrtc.connect("pad-added", self.pad_added)
        for state in ("connection-state", "ice-gathering-state"):
            self.webrtc.connect(f"notify::{state}", lambda *_: self.soon(self.state_changed))
        self.pipeline.add(self.webrtc)
        self.use_address(call.session["address"])
        relay = call.session.get("relay")
        if relay and call.relayed:
            self.use_relay(relay)
        self.pipeline.set_state(Gst.State.PLAYING)

    def use_address(self, address):
        ice = self.webrtc.get_property("ice-agent")
        # PyGObject takes over the floating reference of the agent, which the element still needs.
        gobject.g_object_ref(hash(ice))
        ice.emit("add-local-ip-address", address)

    def use_relay(self, relay):
        server = relay["url"].removeprefix("turn:").partition("?")[0]
        name, word = (urllib.parse.quote(relay[part], safe="") for part in ("username", "password"))
        self.webrtc.set_property("turn-server", f"turn://{name}:{word}@{server}")
        self.webrtc.set_property("ice-transport-policy", GstWebRTC.WebRTCICETransportPolicy.RELAY)

    def soon(self, work, *arguments):
        """GStreamer calls from its own threads; everything else happens in the loop's."""
        self.loop.call_soon_threadsafe(work, *arguments)

    def element_added(self, _bin, _parent, element):
        factory = element.get_factory()  # inner bins have none
        match factory and factory.get_name():
            case "dtlsdec":
                element.set_property("pem", self.pem)
            case "dtlssrtpdec":
                element.get_static_pad("rtp_src").add_probe(Gst.PadProbeType.BUFFER, self.came)
            case "nicesink":
                both = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
                element.get_static_pad("sink").add_probe(both, self.goes)
            case "srtpenc" | "srtpdec" as name:
                self.srtp[name] = element

    def pad_added(self, webrtc, pad):
        """What was heard has been taken already, where it came out of SRTP; the rest of the pipeline ends in nothing."""
        if pad.direction == Gst.PadDirection.SRC:
            end = Gst.ElementFactory.make("fakesink")
            end.set_property("sync", False)
            end.set_property("async", False)
            self.pipeline.add(end)
            end.sync_state_with_parent()
            pad.link(end.get_static_pad("sink"))

    def came(self, _pad, info):
        """In place of jitter buffer and decoder, which keep back the last frames: every packet that came out of SRTP."""
        if packet := rtp(contents(info.get_buffer())):
            self.soon(self.heard, *packet)
        return Gst.PadProbeReturn.OK

    def heard(self, payload_type, marker, number, ssrc, payload):
        for kind, own in self.payload_types.items():
            if own == payload_type:
                self.call.on_packet(kind, ssrc, number, marker, payload)

    def goes(self, _pad, info):
        whole = info.get_buffer_list() if info.type & Gst.PadProbeType.BUFFER_LIST else None
        buffers = [whole.get(at) for at in range(whole.length())] if whole else [info.get_buffer()]
        datagrams = [contents(buffer) for buffer in buffers]
        if count := sum(rtp(datagram) is not None for datagram in datagrams):
            self.soon(self.gone, count)
        if not self.finished and any(ends_handshake(datagram) for datagram in datagrams):
            self.finished = True
            self.soon(self.may_be_connected)
        return Gst.PadProbeReturn.OK

    def gone(self, count):
        self.left += count
        self.changed.set()

    def may_be_connected(self):
        """Media could overtake the last message of the handshake, which leaves by another thread."""
        if self.connected and self.finished:
            self.call.on_connected()

    def state_changed(self):
        self.changed.set()
        match self.webrtc.get_property("connection-state"):
            case GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
                self.export_keys()
                self.connected = True
                self.may_be_connected()
            case GstWebRTC.WebRTCPeerConnectionState.FAILED:
                self.call.on_failed()

    def export_keys(self):
        """As the elements hold them: the exporter's output (RFC 5764, section 4.2), a key and a salt for each direction."""
        outgoing, incoming = self.srtp["srtpenc"], self.srtp["srtpdec"].emit("request-key", 0).get_structure(0)
        for key, words in (
            (outgoing.get_property("key"), [outgoing.get_property(f"rtp-{part}").value_nick for part in ("cipher", "auth")]),
            (incoming.get_value("srtp-key"), [incoming.get_string(f"srtp-{part}") for part in ("cipher", "auth")]),
        ):
            key_lines.append(f"SRTP {PROFILES[tuple(words)]} {contents(key).hex()}")

    async def until(self, holds):
        while not holds():
            self.changed.clear()
            await self.changed.wait()

    async def ask(self, signal, *arguments):
        promise = Gst.Promise.new()
        self.webrtc.emit(signal, *arguments, promise)
        await asyncio.to_thread(promise.wait)
        self.kept.append((promise, promise.get_reply()))  # replies belong to their promises
        return self.kept[-1][1]

    async def add(self, media):
        for kind in (kind for kind in media if kind not in self.streams):
            self.streams[kind] = Outgoing(self, kind, self.payload_types[kind])
        # A stream whose format has not arrived yet would be missing in the description.
        await self.until(lambda: all(stream.pad.get_current_caps() for stream in self.streams.values()))

    async def set_remote(self, kind, sdp):
        _, message = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(sdp.encode(), message)
        await self.ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, message))

    async def set_local(self, kind):
        description = (await self.ask(f"create-{kind}", None)).get_value(kind)
        await self.ask("set-local-description", description)
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        await self.until(lambda: self.webrtc.get_property("ice-gathering-state") == complete)
        sdp = self.webrtc.get_property("local-description").sdp.as_text()
        # Of a certificate that was given to it, webrtcbin hashes certificate and private key together.
        sdp = re.sub(r"(?m)^(a=fingerprint:sha-256 )\S+", rf"\g<1>{self.fingerprint}", sdp)
        own = re.findall(r"(?m)^a=candidate:.*\n", sdp)
        if not own:  # they stand in the first description alone, and hold for later ones as well
            first, section, others = re.match(r"(?ms)(.*?^m=)(.*?)(^m=.*)?\Z", sdp).groups()
            return first + section + self.candidates + (others or "")
        self.candidates = "".join(own)
        return sdp

    async def offer(self, media):
        await self.add(media)
        return await self.set_local("offer")

    async def answer(self, sdp, media):
        for kind, codec in CODECS.items():
            if found := re.search(rf"(?mi)^a=rtpmap:(\d+) {codec}/", sdp):
                self.payload_types[kind] = int(found[1])
        await self.add(media)
        if self.setup_of_peer:
            # To a later offer webrtcbin answers "active" whatever its part in the handshake is (RFC 8842, section 5.3).
            sdp = re.sub(r"(?m)^a=setup:actpass", f"a=setup:{self.setup_of_peer}", sdp)
        await self.set_remote(GstWebRTC.WebRTCSDPType.OFFER, sdp)
        told = await self.set_local("answer")
        self.setup_of_peer = "passive" if re.search(r"(?m)^a=setup:active", told) else "active"
        return told

    async def accept(self, sdp):
        self.setup_of_peer = "active" if re.search(r"(?m)^a=setup:active", sdp) else "passive"
        await self.set_remote(GstWebRTC.WebRTCSDPType.ANSWER, sdp)

    def send(self, kind, payloads):
        self.sent += len(payloads)
        self.streams[kind].push(payloads)

    async def drained(self, _kind):
        due = self.sent
        await self.until(lambda: self.left >= due)

    async def close(self):
        await asyncio.to_thread(self.pipeline.set_state, Gst.State.NULL)


if __name__ == "__main__":
    asyncio.run(serve(Device(Gst.version_string(), CAPABILITIES, Connection, key_lines)))
