// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Omafon authors
//
// The tone in a phone's ear and its bell, for the ears of who sits before the page; silent until asked for.

const RING = [[[1100, 1420], 1000, 4000]];
const RATE_HZ = 16000;
const LOUDNESS = 0.08;

let context = null;
let wanted = false;
let table = null;

// One round of a cadence, [[[frequencies], on, off], …], as samples to be repeated.
function rendered(cadence) {
  const samples = (ms) => Math.round((RATE_HZ * ms) / 1000);
  const length = cadence.reduce((sum, [, on, off]) => sum + samples(Math.min(on, 8000) + off), 0);
  const buffer = context.createBuffer(1, length, RATE_HZ);
  const out = buffer.getChannelData(0);
  let at = 0;
  for (const [frequencies, on, off] of cadence) {
    const count = samples(Math.min(on, 8000));
    for (let i = 0; i < count; i++) {
      const each = frequencies.map((hz) => Math.sin((2 * Math.PI * hz * i) / RATE_HZ));
      // Both edges rise and fall in 4 ms: without that one hears a click. A steady tone has no edges.
      const edge = off ? Math.min(1, i / 64, (count - i) / 64) : 1;
      out[at + i] = (edge * each.reduce((a, b) => a + b, 0)) / each.length;
    }
    at += count + samples(off);
  }
  return buffer;
}

export class Tones {
  // Must be called while the person clicks: browsers let no page make a sound before.
  static audible(on) {
    wanted = on;
    if (!on) return;
    context ??= new AudioContext();
    context.resume();
    table ??= fetch("tones.json").then((answer) => answer.json());
  }

  // What is played is written into `shown.dataset.plays`.
  constructor(shown) {
    this.shown = shown;
  }

  async play(tone, ringing, country) {
    const asked = wanted ? (ringing ? "bell" : tone) : "off";
    if (asked === this.playing) return;
    this.playing = asked;
    this.source?.stop();
    this.source = null;
    this.shown.dataset.plays = "";
    if (asked === "off") return;
    const tones = await table;
    const cadence = asked === "bell" ? RING : (tones[country] ?? tones.DE)[asked];
    // While the table came, the tone may have changed again.
    if (!cadence || this.playing !== asked) return;
    this.source = context.createBufferSource();
    this.source.buffer = rendered(cadence);
    this.source.loop = true;
    const gain = context.createGain();
    gain.gain.value = LOUDNESS;
    this.source.connect(gain).connect(context.destination);
    this.source.start();
    this.shown.dataset.plays = asked;
  }
}
