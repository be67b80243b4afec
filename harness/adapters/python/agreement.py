"""Key agreement and security code of the profile `frames`, version 1 (design, section 1.6), SFrame with cipher suite 4
(RFC 9605) and the frames that a device sends (section 1.7). Nothing here knows a WebRTC stack."""

import hashlib
import hmac
import pathlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = 1
WINDOW = 256
CLIPS = pathlib.Path(__file__).parents[2] / "nodes" / "clips"
KIND_IDS = {"audio": 0, "video": 2, "screen": 4}


class Broken(Exception):
    """Ends the call; the text is the reason that goes with the hang-up."""


def items(*parts):
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def digest(*parts):
    return hashlib.sha256(items(*parts)).digest()


def expand(key, info, length):
    return HKDFExpand(SHA256(), length, info).derive(key)


def commitment(public, nonce):
    return digest(b"overheard/1 commit", public, nonce)


def key_id(sender, kind):
    return KIND_IDS[kind] + (sender == "callee")


class Half:
    """A key pair and a nonce, for one offer or one answer."""

    def __init__(self):
        self.secret, self.nonce = X25519PrivateKey.generate(), secrets.token_bytes(32)
        self.public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Agreed:
    """`terms` holds everything that both devices hash, by name; the secret of `own` is used here and let go."""

    def __init__(self, terms, own, peer):
        try:
            z = own.secret.exchange(X25519PublicKey.from_public_bytes(peer))
        except ValueError:
            raise Broken("low-order-key") from None
        user, tenant = (lambda party: party.encode()), (lambda party: party.rpartition("@")[2].encode())
        caller, callee = terms["caller"], terms["callee"]
        agreed = digest(
            b"overheard/1 agreed", b"frames", terms["id"], user(caller), tenant(caller), user(callee), tenant(callee),
            bytes([terms["caller_intent"]]), bytes([terms["callee_intent"]]),
            b"".join(suite.to_bytes(2, "big") for suite in terms["suites"]), terms["suite"].to_bytes(2, "big"),
            terms["commit"], terms["epk_callee"], terms["nonce_callee"], b"", terms["epk_caller"], terms["nonce_caller"],
        )  # fmt: skip
        self.transcript = digest(b"overheard/1 transcript", agreed, b"")
        self.prk = hmac.digest(self.transcript, z, "sha256")
        self.key_file_line = f"AGREE {terms['id'].hex()} {z.hex()}"
        number = int.from_bytes(digest(b"overheard/1 security code", agreed)[:16], "big") % 10**20
        self.code = " ".join(f"{number:020d}"[at : at + 5] for at in range(0, 20, 5))

    def base_key(self, sender, kind):
        return expand(self.prk, items(b"overheard/1 sframe", sender.encode(), kind.encode()), 16)

    def confirmation(self, sender):
        key = expand(self.prk, items(b"overheard/1 confirm", sender.encode()), 32)
        return hmac.digest(key, self.transcript, "sha256")

    def confirms(self, sender, confirmation):
        return hmac.compare_digest(self.confirmation(sender), confirmation)


class Key:
    """One SFrame key (RFC 9605, section 4.4.2)."""

    def __init__(self, kid, base_key):
        self.kid, self.next, self.opened = kid, 0, set()
        prk = hmac.digest(b"", base_key, "sha256")
        tail = kid.to_bytes(8, "big") + b"\0\4"
        self.aead = AESGCM(expand(prk, b"SFrame 1.0 Secret key " + tail, 16))
        self.salt = int.from_bytes(expand(prk, b"SFrame 1.0 Secret salt " + tail, 12), "big")

    def nonce(self, counter):
        return (self.salt ^ counter).to_bytes(12, "big")

    def seal(self, frame):
        """Key ids stay below 8, so they stand in the first byte."""
        counter, self.next = self.next, self.next + 1
        long = counter.to_bytes((counter.bit_length() + 7) // 8, "big") if counter > 7 else b""
        header = bytes([self.kid << 4 | (0x08 | len(long) - 1 if long else counter)]) + long
        return header + self.aead.encrypt(self.nonce(counter), frame, header)

    def open(self, sealed):
        """The frame; None when it does not open, and b"" when it was opened before."""
        if not sealed or sealed[0] & 0xF0 != self.kid << 4:
            return None
        extra = (sealed[0] & 7) + 1 if sealed[0] & 8 else 0
        counter = int.from_bytes(sealed[1 : 1 + extra], "big") if extra else sealed[0] & 7
        try:
            frame = self.aead.decrypt(self.nonce(counter), sealed[1 + extra :], sealed[: 1 + extra])
        except (InvalidTag, ValueError):
            return None
        newest = max(self.opened, default=0)
        if counter + WINDOW < newest or counter in self.opened:
            return b""
        self.opened = {seen for seen in self.opened if seen + WINDOW >= newest} | {counter}
        return frame


def clip(kind):
    rest, frames = (CLIPS / f"{'audio' if kind == 'audio' else 'video'}.frames").read_bytes(), []
    while rest:
        end = 2 + int.from_bytes(rest[:2], "big")
        frames.append(rest[2:end])
        rest = rest[end:]
    return frames


FRAMES = {kind: clip(kind) for kind in KIND_IDS}


def frame(call_id, sender, kind, n):
    """Frame `n` of a sender; every tenth carries a marker: in the padding of an Opus packet (RFC 6716, section 3.2.5),
    behind the last partition of VP8."""
    plain = FRAMES[kind][n % len(FRAMES[kind])]
    if n % 10:
        return plain
    marker = digest(b"overheard/1 canary", call_id, sender.encode(), kind.encode(), n.to_bytes(4, "big"))
    return bytes([plain[0] | 3, 0x41, 32]) + plain[1:] + marker if kind == "audio" else plain + marker
