"""aiortc behind the driver protocol of overheard, version 1: requests on standard input, replies and events on standard
output, logs on standard error."""

import asyncio
import pathlib
import sys

import aioice.ice
import aiortc
import aiortc.codecs as codecs
import aiortc.rtcdtlstransport as rtcdtlstransport
import aiortc.rtcrtpreceiver as rtcrtpreceiver
import aiortc.rtcrtpsender as rtcrtpsender
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCSessionDescription

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python"))
from device import Device, serve  # noqa: E402

CAPABILITIES = {word: True for word in ("frames", "audio", "video", "relay", "keys-export")}
RATES = {"audio": 48_000 // 50, "video": 90_000 // 30}

# Every description of the harness has these payload types and nothing else (design, section 1.7).
opus, vp8 = codecs.CODECS["audio"][0], codecs.CODECS["video"][0]
opus.payloadType, vp8.payloadType, vp8.rtcpFeedback = 111, 96, []
codecs.CODECS.update(audio=[opus], video=[vp8])
codecs.HEADER_EXTENSIONS.update(audio=[], video=[])


key_lines, create_ssl_context = [], rtcdtlstransport.RTCCertificate._create_ssl_context


def logging_keys(self, *args, **named):
    """OpenSSL's key log, in the lines that the harness reads as well."""
    context = create_ssl_context(self, *args, **named)
    context.set_keylog_callback(lambda _, line: key_lines.append(line.decode()))
    return context


async def heard(self, packet, arrival_time_ms):
    """In place of jitter buffer and decoder, which keep back the last frames: every packet that came out of SRTP."""
    if packet.payload and self in connections:
        connections[self].heard(self.track.kind, packet)


class AsItIs:
    """In place of a codec: what a track gives leaves as it is."""

    def __init__(self, _codec):
        pass

    def pack(self, payloads_and_timestamp):
        return payloads_and_timestamp


rtcdtlstransport.RTCCertificate._create_ssl_context = logging_keys
rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet = heard
rtcrtpsender.get_encoder = AsItIs
connections = {}


class Outgoing(aiortc.MediaStreamTrack):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.queue, self.taken, self.count = kind, asyncio.Queue(), False, 0

    async def recv(self):
        if self.taken:  # asked for the next one, aiortc has sent the last
            self.queue.task_done()
        self.taken = False
        payloads = await self.queue.get()
        self.taken = True
        self.count += 1
        return payloads, self.count * RATES[self.kind]


class Connection:
    """An RTCPeerConnection of one call, with all candidates in its descriptions."""

    def __init__(self, call):
        # aioice never offers a loopback address of its own accord.
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [call.session["address"]]
        relay, config = call.session.get("relay"), RTCConfiguration(iceServers=[])
        if relay and call.relayed:
            server = RTCIceServer(urls=relay["url"], username=relay["username"], credential=relay["password"])
            config = RTCConfiguration(iceServers=[server], iceTransportPolicy=RTCIceTransportPolicy.RELAY)
        self.pc, self.call, self.tracks = aiortc.RTCPeerConnection(config), call, {}
        self.pc.on("connectionstatechange", self.changed)

    def changed(self):
        match self.pc.connectionState:
            case "connected":
                self.call.on_connected()
            case "failed":
                self.call.on_failed()

    def add(self, media):
        for kind in (kind for kind in media if kind not in self.tracks):
            self.tracks[kind] = Outgoing(kind)
            self.pc.addTrack(self.tracks[kind])
        connections.update((receiver, self) for receiver in self.pc.getReceivers())

    def heard(self, kind, packet):
        self.call.on_packet(kind, packet.ssrc, packet.sequence_number, packet.marker, packet.payload)

    async def offer(self, media):
        self.add(media)
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def answer(self, sdp, media):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        self.add(media)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return self.pc.localDescription.sdp

    async def accept(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def send(self, kind, payloads):
        self.tracks[kind].queue.put_nowait(payloads)

    async def drained(self, kind):
        await self.tracks[kind].queue.join()

    async def close(self):
        await self.pc.close()


if __name__ == "__main__":
    asyncio.run(serve(Device(f"aiortc {aiortc.__version__}", CAPABILITIES, Connection, key_lines)))
