#!/usr/bin/env python3
"""Makes audio.frames and video.frames: a gliding sine tone as Opus, a moving test pattern as VP8.

Needs ffmpeg (5.1 or later) with libopus and libvpx. A .frames file is a sequence of frames, each behind its
length as u16 big endian. The files are made once and committed; another version of the encoders gives others.
"""
import pathlib
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
TONE = "aevalsrc='0.3*sin(2*PI*(220*t+15*t*t))':s=48000:d=6"
PATTERN = "testsrc2=size=160x120:rate=30:duration=4"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *arguments], check=True)


def ogg_packets(data):
    """Packets of an Ogg stream (RFC 3533), put together over segments of 255 bytes."""
    packets, packet, at = [], b"", 0
    while at < len(data):
        segments = data[at + 26]
        table = data[at + 27 : at + 27 + segments]
        at += 27 + segments
        for length in table:
            packet += data[at : at + length]
            at += length
            if length < 255:
                packets.append(packet)
                packet = b""
    return packets


def ivf_frames(data):
    at = 32
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        yield data[at + 12 : at + 12 + length]
        at += 12 + length


def write(name, frames):
    frames = list(frames)
    (HERE / name).write_bytes(b"".join(struct.pack(">H", len(f)) + f for f in frames))
    print(name, len(frames), "frames,", sum(map(len, frames)) // len(frames), "bytes each")


with tempfile.TemporaryDirectory() as folder:
    opus, vp8 = f"{folder}/a.ogg", f"{folder}/v.ivf"
    ffmpeg("-f", "lavfi", "-i", TONE, "-ac", "1", "-c:a", "libopus", "-b:a", "24k", "-application", "voip",
           "-frame_duration", "20", opus)
    ffmpeg("-f", "lavfi", "-i", PATTERN, "-c:v", "libvpx", "-b:v", "180k", "-g", "60", "-deadline", "good", vp8)
    # The first two packets are the headers (RFC 7845 section 3).
    write("audio.frames", ogg_packets(pathlib.Path(opus).read_bytes())[2:302])
    write("video.frames", ivf_frames(pathlib.Path(vp8).read_bytes()))
