"""One device behind the driver protocol of overheard, version 1. The WebRTC stack is handed in as `connect`, which makes
the connection of a call.

Invariant: every request is answered once; what cannot be read harms nobody."""

import asyncio
import hashlib
import json
import os
import pathlib
import secrets
import sys
import traceback

from agreement import SUITE, Broken, Half, commitment
from call import PER_SECOND, REASONS, Call, claim, out, signal

METHODS = {
    "hello": {"protocol": dict}, "open": {"folder": str, "party": str, "profile": str, "address": str, "e2ee": bool},
    "place": {"to": list, "media": list, "kind": str, "policy": str}, "answer": {"call": str, "policy": str},
    "decline": {"call": str}, "hang-up": {"call": str}, "talk": {"call": str, "ms": int},
    "invoke": {"call": str, "feature": str, "with": str}, "toggle": {"e2ee": bool}, "chat": {"to": str, "text": str},
    "signal": {"message": dict}, "keys": {}, "cancel": {"request": int}, "close": {}, "shutdown": {},
}  # fmt: skip
OF_A_CALL = ("answer", "reveal", "confirm", "route", "sdp-offer", "sdp-answer")


class Refused(Exception):
    """Kind of error, and words for a person."""


class Device:
    def __init__(self, implementation, capabilities, connect, key_lines):
        self.implementation, self.capabilities, self.connect, self.key_lines = (
            implementation, capabilities, connect, key_lines)  # fmt: skip
        self.session, self.greeted, self.calls, self.invoked, self.tasks = None, False, {}, {}, set()
        self.policy = "Disabled"

    def in_background(self, work):
        self.tasks.add(task := asyncio.ensure_future(work))
        task.add_done_callback(self.tasks.discard)

    def own_intent(self, policy):
        self.policy = policy
        return int(self.session["e2ee"] and self.session.get("eligible", True) and policy == "DisabledUserOverride")

    def call(self, call, ready=lambda call: True):
        if call not in self.calls or not ready(self.calls[call]):
            raise Refused("wrong-state", "there is no such call, or it is too late or too early")
        return self.calls[call]

    def ringing(self, call):
        return self.call(call, lambda c: c.role == "callee" and not c.answered and not c.over.is_set())

    async def ask(self, method, p):
        if method not in METHODS:
            raise Refused("unknown-method", "this version of the protocol has no such method")
        for name, kind in METHODS[method].items():
            if not isinstance(p.get(name), kind):
                raise Refused("invalid-params", f"`{name}` is missing or of another type")
        if method not in ("hello", "shutdown") and not self.greeted:
            raise Refused("wrong-state", "say `hello` first")
        if method not in ("hello", "open", "cancel", "close", "shutdown") and not self.session:
            raise Refused("wrong-state", "open a session first")
        return await getattr(self, "ask_" + method.replace("-", "_"))(p) or {}

    async def ask_hello(self, p):
        if not p["protocol"].get("min", 1) <= 1 <= p["protocol"].get("max", 1):
            raise Refused("unsupported", "this driver speaks version 1 alone")
        self.greeted = True
        return {"protocol": 1, "implementation": self.implementation, "capabilities": self.capabilities}

    async def ask_open(self, p):
        if self.session:
            raise Refused("wrong-state", "the session is open already")
        if p["profile"] != "frames":
            raise Refused("unsupported", "this client has the profile `frames` alone")
        self.session = p
        register = {name: p.get(name, "") for name in ("party", "device", "platform", "version", "e2ee")}
        signal("register", **register)

    async def ask_place(self, p):
        if not p["to"] or not all(isinstance(to, str) for to in p["to"]):
            raise Refused("invalid-params", "`to` names nobody")
        if not all(kind in PER_SECOND for kind in p["media"]):
            raise Refused("unsupported", "this client carries audio and video alone")
        call, alone = secrets.token_hex(16), len(p["to"]) == 1 and "@" in p["to"][0] and p["kind"] == "unscheduled"
        intent = self.own_intent(p["policy"]) if alone else 0
        half = Half() if intent else None
        offer = {"from": self.session["party"], "to": p["to"], "media": p["media"], "kind": p["kind"], "intent": intent,
                 "suites": [SUITE] if half else [], "commit": commitment(half.public, half.nonce).hex() if half else ""}  # fmt: skip
        signal("offer", call=call, profile="frames", **offer)
        placed = Call(self, call, "caller", offer["from"], p["to"][0], (intent, 0), offer)
        placed.half = half
        placed.later(30_000, lambda: None if placed.answered else placed.leave("no-answer"))
        self.crossed(placed)
        return {"call": call}

    def offered(self, m):
        if m["call"] in self.calls or len(m["call"]) != 32:
            return
        offer = {**m, "media": [kind for kind in m["media"] if kind in PER_SECOND]}
        call = Call(self, m["call"], "callee", m["from"], self.session["party"], (0, int(m.get("intent") == 1)), offer)
        if self.crossed(call):
            return
        claim(call.call, "ringing")
        signal("ringing", call=call.call)

    def crossed(self, call):
        """Of two offers that cross one stands; who takes back its own answers the other at once."""
        other = next((other for other in self.calls.values() if call.crosses(other)), None)
        if other:
            own, its = (call, other) if call.role == "caller" else (other, call)
            if own.rank(its) > its.rank(own):
                own.leave("busy")
                its.answer(self.policy)
        return other is not None

    async def ask_answer(self, p):
        self.ringing(p["call"]).answer(p["policy"])

    async def ask_decline(self, p):
        self.ringing(p["call"]).decline()

    async def ask_hang_up(self, p):
        self.call(p["call"]).leave()

    async def ask_talk(self, p):
        await self.call(p["call"]).talk(p["ms"])

    async def ask_invoke(self, p):
        call = self.call(p["call"])
        if not call.answered or call.over.is_set():
            return {"shown": False, "result": "refused", "reason": "no-call"}
        answered = self.invoked[p["call"], p["feature"]] = asyncio.get_running_loop().create_future()
        shown = not (call.sealed() and p["feature"] in self.session.get("withheld", []))
        signal("invoke", **p)
        return {"shown": shown, **await answered}

    async def ask_toggle(self, p):
        self.session["e2ee"] = p["e2ee"]
        signal("preference", e2ee=p["e2ee"])

    async def ask_chat(self, p):
        signal("chat", **p)

    async def ask_signal(self, p):
        self.policy = p.get("policy") or self.policy
        m, call = p["message"], self.calls.get(p["message"].get("call"))
        try:
            if call and m["type"] in OF_A_CALL:
                done = getattr(call, "on_" + m["type"].replace("-", "_"))(m)
                if done is not None:
                    await done
            else:
                self.arrived(call, m)
        except Broken as broken:
            call.leave(str(broken))
        except Exception:
            traceback.print_exc()  # what cannot be read is ignored, or ends the call that it belongs to
            if call:
                call.leave("client-failed")

    def arrived(self, call, m):
        match m.get("type"):
            case "offer":
                self.offered(m)
            case "ringing" if call:
                claim(call.call, "ringing")
            case "decline" if call:
                call.ended_by_other("declined")
            case "hang-up" if call:
                call.ended_by_other(m.get("reason") if m.get("reason") in REASONS else None)
            case "invoked" if waiting := self.invoked.pop((m.get("call"), m.get("feature")), None):
                waiting.done() or waiting.set_result({"result": m["result"], "reason": m.get("reason", "")})
            case "preference":
                self.session["e2ee"] = bool(m["e2ee"])
            case "chat":
                sha256 = hashlib.sha256(m["text"].encode()).hexdigest()
                claim("", {"chat": {"sha256": sha256, "says_not_sealed": True}})
            case "error":
                out(event="log", params={"text": f"the call service refused a request: {m.get('reason')}"})

    async def ask_keys(self, _):
        path = pathlib.Path(self.session["folder"], "parties.keys")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(line + "\n" for line in self.key_lines)
        return {"file": path.name}

    async def ask_cancel(self, _):
        pass

    async def ask_close(self, _):
        for call in list(self.calls.values()):
            call.leave()
        self.session = None
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=1)

    ask_shutdown = ask_close


async def serve(device):
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        try:
            request = json.loads(line)
            asked, method = request["id"], str(request.get("method"))
        except (ValueError, KeyError, TypeError):
            continue  # without an id there is nobody to answer
        work = answer(device, asked, method, request.get("params") or {})
        # What takes its time is answered in its time; everything else in the order in which it was asked.
        device.in_background(work) if method in ("talk", "invoke") else await work
        if method == "shutdown":
            break
    else:
        await device.ask_close({})
    os._exit(0)  # threads of the stack are not waited for


async def answer(device, asked, method, params):
    try:
        out(id=asked, result=await device.ask(method, params))
    except Refused as refused:
        out(id=asked, error={"kind": refused.args[0], "message": refused.args[1]})
    except Exception as why:
        traceback.print_exc()
        out(id=asked, error={"kind": "internal", "message": repr(why)})
