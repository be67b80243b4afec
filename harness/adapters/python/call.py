"""One call at one device of the profile `frames` (design, sections 1.6 to 1.8): what is claimed, what is answered, and
when a frame may leave or be played. The WebRTC stack is handed in as `device.connect`.

Invariant: in a sealed call no frame leaves and none is played before the other's confirmation was verified, nor unsealed.
"""

import asyncio
import hashlib
import json
import re

from agreement import SUITE, Agreed, Broken, Half, Key, commitment, frame, key_id

FEATURES = """recording live-captions transcription transfer-blind transfer-safe transfer-consult merge park
add-participant companion""".split()
REASONS = """declined no-answer busy unknown-user commitment-mismatch confirmation-mismatch confirmation-missing
low-order-key unoffered-suite fingerprint-mismatch fingerprint-changed unsealed-frame set-up-timeout
client-failed""".split()
PER_SECOND = {"audio": 50, "video": 30}
PIECE = 1_099


def out(**line):
    print(json.dumps(line), flush=True)


def claim(call, what):
    out(event="claim", params={"call": call, "claim": what})


def signal(word, **fields):
    out(event="signal", params={"message": {"type": word, **fields}})


def payloads(kind, frame):
    """Audio one to one; video cut behind a descriptor of one byte (RFC 7741, section 4.2)."""
    if kind == "audio":
        return [frame]
    pieces = [frame[at : at + PIECE] for at in range(0, len(frame), PIECE)]
    return [(b"\x00" if at else b"\x10") + piece for at, piece in enumerate(pieces)]


class Call:
    def __init__(self, device, call, role, caller, callee, intents, offer):
        self.device, self.session = device, device.session
        self.call, self.id, self.role, self.caller, self.callee = call, bytes.fromhex(call), role, caller, callee
        self.other = "callee" if role == "caller" else "caller"
        self.media, (self.own_intent, self.other_intent) = offer["media"], intents
        self.suites, self.commit = offer.get("suites", []), offer.get("commit", "")
        self.one_to_one = len(offer["to"]) == 1 and "@" in offer["to"][0]
        self.half = self.agreed = self.connection = self.fingerprints = None
        self.terms, self.keys, self.relayed = {}, {}, False
        self.answered = self.confirmed = self.connected = self.up = False
        self.over, self.sent, self.played, self.refused = asyncio.Event(), {}, {}, 0
        self.pieces = {}
        device.calls[call] = self

    def sealed(self):
        return self.answered and self.own_intent == self.other_intent == 1

    def later(self, ms, late):
        asyncio.get_running_loop().call_later(ms / 1000, lambda: None if self.up or self.over.is_set() else late())

    def late(self):
        waits = self.sealed() and not self.confirmed and (self.connected or not self.connection)
        self.leave("confirmation-missing" if waits else "set-up-timeout")

    def answered_here(self):
        withheld = self.session.get("withheld", []) if self.sealed() else []
        claim(self.call, {"controls": [feature for feature in FEATURES if feature not in withheld]})
        if self.sealed() and self.role == "callee":
            self.not_applied()
        self.later(self.session.get("set_up_ms", 10_000), self.late)

    def not_applied(self):
        for setting in self.session.get("settings", []):
            if setting in self.session.get("withheld", []):
                claim(self.call, {"not-applied": setting})

    def answer(self, policy):
        self.own_intent, self.answered = self.device.own_intent(policy) & self.other_intent, True
        terms = dict(intent=self.own_intent, suite=0, epk="", nonce="", ek="")
        if self.sealed():
            self.half = Half()
            self.terms = dict(suite=SUITE, epk_callee=self.half.public, nonce_callee=self.half.nonce)
            terms.update(suite=SUITE, epk=self.half.public.hex(), nonce=self.half.nonce.hex())
        signal("answer", call=self.call, **terms)
        claim(self.call, "answered")
        self.answered_here()

    def agree(self, peer, epk, nonce):
        intents = dict(zip((self.role, self.other), (self.own_intent, self.other_intent)))
        self.terms |= dict(
            id=self.id, caller=self.caller, callee=self.callee, caller_intent=intents["caller"], suites=self.suites,
            callee_intent=intents["callee"], commit=bytes.fromhex(self.commit), epk_caller=epk, nonce_caller=nonce,
        )  # fmt: skip
        half, self.half = self.half, None
        self.agreed = Agreed(self.terms, half, peer)

    def make_keys(self):
        self.device.key_lines.append(self.agreed.key_file_line)
        for kind in self.media:
            for sender in (self.role, self.other):
                base_key, kid = self.agreed.base_key(sender, kind), key_id(sender, kind)
                self.keys[sender, kind] = Key(kid, base_key)
                self.device.key_lines.append(f"SFRAME 4 {kid} {base_key.hex()}")

    def on_answer(self, m):
        if self.role != "caller" or self.answered or self.over.is_set():
            return
        self.answered, self.other_intent = True, int(m.get("intent") == 1) & self.own_intent
        self.answered_here()
        if not self.sealed():
            return
        if m.get("suite") not in self.suites or m.get("ek"):
            raise Broken("unoffered-suite")
        epk, nonce = bytes.fromhex(m["epk"]), bytes.fromhex(m["nonce"])
        self.terms = dict(suite=m["suite"], epk_callee=epk, nonce_callee=nonce)
        own_epk, own_nonce = self.half.public, self.half.nonce
        self.agree(epk, own_epk, own_nonce)
        self.make_keys()
        confirmation = self.agreed.confirmation("caller").hex()
        signal("reveal", call=self.call, epk=own_epk.hex(), nonce=own_nonce.hex(), ct="", confirmation=confirmation)

    def on_reveal(self, m):
        if self.role != "callee" or not self.half or self.over.is_set():
            return
        try:
            epk, nonce = bytes.fromhex(m["epk"]), bytes.fromhex(m["nonce"])
        except ValueError:
            raise Broken("commitment-mismatch") from None
        if commitment(epk, nonce).hex() != self.commit or m.get("ct"):
            raise Broken("commitment-mismatch")
        self.agree(epk, epk, nonce)
        if not self.agreed.confirms("caller", bytes.fromhex(m["confirmation"])):
            raise Broken("confirmation-mismatch")
        self.make_keys()
        signal("confirm", call=self.call, confirmation=self.agreed.confirmation("callee").hex())
        self.other_confirmed()

    def on_confirm(self, m):
        if self.role == "caller" and self.agreed and not self.over.is_set():
            if not self.agreed.confirms("callee", bytes.fromhex(m["confirmation"])):
                raise Broken("confirmation-mismatch")
            self.other_confirmed()

    def other_confirmed(self):
        code, self.confirmed, self.agreed = self.agreed.code, True, None
        for what in ("confirmed", {"lock": True}, {"code": code}):
            claim(self.call, what)
        self.media_may_flow()

    async def on_route(self, m):
        if not self.answered or self.over.is_set():
            return
        self.relayed = m.get("path") == "relay"
        if self.role == "caller":
            self.connection = self.device.connect(self)
            signal("sdp-offer", call=self.call, sdp=await self.connection.offer(self.media))

    async def on_sdp_offer(self, m):
        again = self.connection is not None
        if not self.answered or self.over.is_set() or not self.fingerprint(m["sdp"]) or again and self.sealed():
            return
        self.connection = self.connection or self.device.connect(self)
        signal("sdp-answer", call=self.call, sdp=await self.connection.answer(m["sdp"], self.media))

    async def on_sdp_answer(self, m):
        if self.connection and not self.fingerprints and not self.over.is_set() and self.fingerprint(m["sdp"]):
            await self.connection.accept(m["sdp"])

    def fingerprint(self, sdp):
        """There is exactly one, and it does not change; else the call ends. The stack compares it with the certificate."""
        found = {digits.upper() for digits in re.findall(r"(?mi)^a=fingerprint:sha-256 (\S+)", sdp)}
        if len(found) != 1:
            raise Broken("fingerprint-mismatch")
        if self.fingerprints not in (None, found):
            raise Broken("fingerprint-changed")
        self.fingerprints = found
        return True

    def on_connected(self):
        self.connected = True
        self.media_may_flow()

    def on_failed(self):
        if not self.up:
            self.leave("set-up-timeout")

    def open_to_media(self):
        return self.connected and not self.over.is_set() and (self.confirmed or not self.sealed())

    def media_may_flow(self):
        if self.open_to_media() and not self.up:
            self.up = True
            claim(self.call, "connected")

    def ledger(self, direction, counts, kind, frame):
        index = counts[kind] = counts.get(kind, -1) + 1
        sha256 = hashlib.sha256(frame).hexdigest()
        out(event="frame", params=dict(call=self.call, direction=direction, kind=kind, index=index, bytes=len(frame),
                                       sha256=sha256))  # fmt: skip

    async def talk(self, ms):
        await asyncio.gather(*(self.say(kind, ms * PER_SECOND[kind] // 1000) for kind in self.media))

    async def say(self, kind, frames):
        clock = asyncio.get_running_loop().time
        start = clock()
        for n in range(frames):
            await asyncio.sleep(max(0, start + n / PER_SECOND[kind] - clock()))
            if not self.open_to_media():
                return
            plain = frame(self.id, self.role, kind, self.sent.get(kind, -1) + 1)
            # Without its key no frame leaves a sealed call.
            sealed = self.keys[self.role, kind].seal(plain) if self.sealed() else plain
            self.ledger("sent", self.sent, kind, plain)
            self.connection.send(kind, payloads(kind, sealed))
        drained = [asyncio.ensure_future(work) for work in (self.connection.drained(kind), self.over.wait())]
        await asyncio.wait(drained, return_when=asyncio.FIRST_COMPLETED)
        for work in drained:
            work.cancel()

    def on_packet(self, kind, ssrc, sequence, marker, payload):
        if kind == "video":
            payload = self.put_together(ssrc, sequence, marker, payload)
        if not payload or not self.open_to_media():
            return
        plain = self.keys[self.other, kind].open(payload) if self.sealed() else payload
        if plain:
            self.refused = 0
            return self.ledger("received", self.played, kind, plain)
        claim(self.call, {"not-opened": 1})
        self.refused += plain is None
        if self.refused >= 25:
            self.leave("unsealed-frame")

    def put_together(self, ssrc, sequence, marker, payload):
        due, pieces = self.pieces.get(ssrc, (None, b""))
        starts = payload[0] & 0x10
        if not starts and due != sequence:
            self.pieces.pop(ssrc, None)
            return b""
        pieces = (b"" if starts else pieces) + payload[1:]
        self.pieces[ssrc] = ((sequence + 1) & 0xFFFF, pieces)
        return pieces if marker else b""

    def leave(self, reason=None):
        if not self.over.is_set():
            signal("hang-up", call=self.call, reason=reason or "")
            self.end(reason, own=True)

    def ended_by_other(self, reason):
        unanswered = self.role == "callee" and not self.answered and not self.over.is_set()
        self.end(reason, own=False)
        # Where nobody answers, voicemail would have taken an ordinary call.
        if unanswered and reason == "no-answer" and self.other_intent and self.device.own_intent(self.device.policy):
            self.not_applied()

    def decline(self):
        signal("decline", call=self.call)
        self.end("declined", own=True)

    def end(self, reason, own):
        """The keys of a call are gone when it has ended."""
        if self.over.is_set():
            return
        self.over.set()
        self.half = self.agreed = None
        self.keys.clear()
        for waiting in [waiting for key, waiting in self.device.invoked.items() if key[0] == self.call]:
            waiting.done() or waiting.set_result({"result": "refused", "reason": "no-call"})
        claim(self.call, {"ended": {"reason": reason, "own": own}})
        if self.connection:
            self.device.in_background(self.connection.close())

    def crosses(self, other):
        """Whether two calls between the same two people, one in each direction, are both unanswered."""
        waiting = all(c.one_to_one and not c.answered and not c.over.is_set() for c in (self, other))
        return waiting and self.role != other.role and (self.caller, self.callee) == (other.callee, other.caller)

    def rank(self, other):
        """Of two calls that cross, the one of the smaller rank stands (design, section 1.6, step 9)."""
        return (self.commit, self.call) if self.commit and other.commit else ("", self.call)
