// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Omafon authors
//
// The page: each phone is drawn as its control socket tells it, and every key goes to the phone; the page decides
// nothing. What arrives is {"phone": 0, "event": "snapshot" | "screen" | "status" | "lamps" | "ear" | "off" | …}.

import { Tones } from "./tones.js";

const LETTERS = { 2: "ABC", 3: "DEF", 4: "GHI", 5: "JKL", 6: "MNO", 7: "PQRS", 8: "TUV", 9: "WXYZ", 0: "+" };

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;

const SIDE = [
  ["call", "Call", icon("M6 3.5c-2 1-2.5 3-2 5 1.3 5.5 5.5 10 11 11.5 2 .5 4.2 0 5-2l.5-2-4.5-2.2-2 1.7c-2.2-1-4-3-5-5l1.7-2L8.5 3z"), "call", "Enter"],
  ["mute", "Mute", icon("M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4M4 4l16 16"), "soft", "m"],
  ["end", "End", icon("M3 15.5c-.8-2 .2-4 2-5 4.3-2.4 9.7-2.4 14 0 1.8 1 2.8 3 2 5l-.8 1.5-4.4-1.2-.3-2.8c-2.3-.8-4.7-.8-7 0l-.3 2.8L3.8 17z"), "end", "Escape"],
  ["back", "Back", icon("M9 5l-5 5 5 5M4 10h10a6 6 0 0 1 0 10h-2"), "soft", "Backspace"],
  ["up", "Up", icon("M5 15l7-7 7 7"), "soft", "ArrowUp"],
  ["ok", "OK", "<b>OK</b>", "soft", ""],
  ["hold", "Hold", icon("M9 6v12M15 6v12"), "soft", "h"],
  ["down", "Down", icon("M5 9l7 7 7-7"), "soft", "ArrowDown"],
  ["flash", "Flash: swap or answer a second call", "<b>R</b>", "soft", "f"],
  ["vol-", "Volume down", icon("M4 10v4h4l5 4V6L8 10zM17 12h4"), "soft", "-"],
  ["redial", "Redial", icon("M20 6v5h-5M19.5 11A8 8 0 1 0 20 15"), "soft", "l"],
  ["vol+", "Volume up", icon("M4 10v4h4l5 4V6L8 10zM17 12h4M19 10v4"), "soft", "+"],
];

const KEYBOARD = {
  Enter: "call", Escape: "end", Backspace: "back", ArrowUp: "up", ArrowDown: "down", ArrowLeft: "back", ArrowRight: "ok",
  "+": "vol+", "-": "vol-", m: "mute", f: "flash", r: "flash", h: "hold", l: "redial",
  ...Object.fromEntries([..."0123456789*#"].map((digit) => [digit, digit])),
};

const HEARD = {
  off: "quiet", dial: "dial tone", ringback: "ringback: it rings there", busy: "busy tone",
  congestion: "congestion tone", waiting: "call waiting", error: "error tone",
};
const ROUTES = { family: "family", enum: "free by ENUM", provider: "provider", direct: "direct", emergency: "emergency" };
const STATES = { resolving: "looking up", calling: "calling", ringing: "ringing", in_call: "talking", held: "on hold" };

// An OLED's colours as 32-bit little-endian RGBA: lit, the glow beside it, unlit, the gap.
const LIT = 0xffffe9c7, GLOW = 0xff96826a, UNLIT = 0xff18100b, GAP = 0xff0e0906;

class Display {
  constructor(canvas) {
    this.canvas = canvas;
    this.frame = null;
    this.pen = canvas.getContext("2d", { alpha: false });
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
  }

  show({ width, height, frame, rows }) {
    this.size = [width, height];
    this.frame = Uint8Array.from(atob(frame), (char) => char.charCodeAt(0));
    this.canvas.setAttribute("aria-label", `Display: ${rows.filter(Boolean).join(", ")}`);
    this.draw();
  }

  // Every pixel of the phone is a whole number of the screen's, so that none is blurred.
  draw() {
    if (!this.frame) return;
    const [width, height] = this.size;
    const glass = getComputedStyle(this.canvas.parentElement);
    const room = this.canvas.parentElement.clientWidth - parseFloat(glass.paddingLeft) - parseFloat(glass.paddingRight);
    const scale = Math.max(1, Math.floor((room * devicePixelRatio) / width));
    this.canvas.style.width = `${(width * scale) / devicePixelRatio}px`;
    if (this.canvas.width !== width * scale) {
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
      this.image = this.pen.createImageData(width * scale, height * scale);
    }
    const out = new Uint32Array(this.image.data.buffer);
    const stride = Math.ceil(width / 8), line = width * scale;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const lit = this.frame[y * stride + (x >> 3)] & (0x80 >> (x & 7));
        const corner = y * scale * line + x * scale;
        for (let v = 0; v < scale; v++) {
          for (let u = 0; u < scale; u++) {
            const gap = scale > 2 && (u === scale - 1 || v === scale - 1);
            out[corner + v * line + u] = lit ? (gap ? GLOW : LIT) : gap ? GAP : UNLIT;
          }
        }
      }
    }
    this.pen.putImageData(this.image, 0, 0);
    this.canvas.dispatchEvent(new Event("drawn"));
  }
}

// The cord hangs from the handset's lower end to the body, and follows the handset while it moves.
class Cord {
  constructor(body) {
    this.body = body;
    this.paths = body.querySelectorAll(".cord path");
    this.handset = body.querySelector(".handset");
    this.handset.addEventListener("transitionrun", () => this.follow());
    new ResizeObserver(() => this.hang()).observe(body);
  }

  follow() {
    cancelAnimationFrame(this.turn);
    const until = performance.now() + 600;
    const move = () => {
      this.hang();
      if (performance.now() < until) this.turn = requestAnimationFrame(move);
    };
    move();
  }

  hang() {
    const seam = this.handset.querySelector(".bar");
    const matrix = seam.getScreenCTM();
    const frame = this.body.getBoundingClientRect();
    if (!matrix || !frame.width) return;
    const end = new DOMPoint(52, 474).matrixTransform(matrix);
    const from = [end.x - frame.left, end.y - frame.top];
    const to = [220, frame.height - 4];
    const sag = [(from[0] + to[0]) / 2 - 8, Math.max(from[1], to[1]) + 96];
    const points = [];
    const turns = 21, steps = turns * 14;
    for (let i = 0; i <= steps; i++) {
      const t = i / steps, s = 1 - t;
      const at = [0, 1].map((k) => s * s * from[k] + 2 * s * t * sag[k] + t * t * to[k]);
      const along = [0, 1].map((k) => 2 * s * (sag[k] - from[k]) + 2 * t * (to[k] - sag[k]));
      const length = Math.hypot(...along) || 1;
      const swell = Math.min(1, t * 9, s * 9);
      const angle = t * turns * 2 * Math.PI;
      const across = 8.5 * Math.sin(angle) * swell, ahead = 4.5 * Math.cos(angle) * swell;
      const x = at[0] + (ahead * along[0] - across * along[1]) / length;
      const y = at[1] + (ahead * along[1] + across * along[0]) / length;
      points.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
    }
    for (const path of this.paths) path.setAttribute("d", `M${points.join("L")}`);
  }
}

const nameOf = (event) => (event.key.length === 1 ? event.key.toLowerCase() : event.key);

class Phone {
  constructor(place, name, send) {
    this.place = place;
    this.status = { hook: "on", tone: "off", calls: [] };
    this.send = (what) => send({ phone: place, ...what });
    this.down = new Set();
    this.root = document.querySelector("#phone").content.firstElementChild.cloneNode(true);
    this.root.dataset.phone = place;
    this.root.setAttribute("aria-label", `Telephone ${name}`);
    this.find(".plate").textContent = name;
    this.find("linearGradient").id = `round-${place}`;
    this.find(".bar").style.fill = `url(#round-${place})`;
    this.makeKeys();
    this.find(".handset").addEventListener("click", () => this.hook());
    this.root.addEventListener("keydown", (event) => this.typed(event));
    this.root.addEventListener("keyup", (event) => this.letGo(KEYBOARD[nameOf(event)]));
    this.root.addEventListener("blur", () => [...this.down].forEach((key) => this.letGo(key)));
    document.querySelector("#phones").append(this.root);
    this.display = new Display(this.find(".display"));
    this.cord = new Cord(this.find(".body"));
    this.tones = new Tones(this.find(".ear"));
    this.showHook();
  }

  press(key) {
    this.send({ keys: [key] });
  }

  // Held for as long as the mouse, the finger or the key of the keyboard is: some things want a long press.
  hold(key) {
    if (this.down.has(key)) return;
    this.down.add(key);
    this.find(`[data-key="${CSS.escape(key)}"]`).classList.add("down");
    this.send({ down: key });
  }

  letGo(key) {
    if (!this.down.delete(key)) return;
    this.find(`[data-key="${CSS.escape(key)}"]`).classList.remove("down");
    this.send({ up: key });
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  makeKeys() {
    const key = (value, label, inner, kind, shortcut) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `key ${kind}`;
      button.dataset.key = value;
      button.tabIndex = -1;
      button.title = label;
      button.setAttribute("aria-label", label);
      if (shortcut) button.setAttribute("aria-keyshortcuts", shortcut);
      button.innerHTML = inner;
      button.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        button.setPointerCapture(event.pointerId);
        this.hold(value);
      });
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
        button.addEventListener(end, () => this.letGo(value));
      }
      // Pressed by no pointer, as by a screen reader.
      button.addEventListener("click", (event) => event.detail || this.press(value));
      button.addEventListener("contextmenu", (event) => event.preventDefault());
      return button;
    };
    const names = { "*": "star", "#": "hash" };
    for (const digit of "123456789*0#") {
      const inner = `<b>${digit === "*" ? "∗" : digit}</b><small>${LETTERS[digit] ?? ""}</small>`;
      this.find(".pad").append(key(digit, names[digit] ?? digit, inner, "digit", digit));
    }
    for (const [value, label, inner, kind, shortcut] of SIDE) {
      this.find(".side").append(key(value, label, inner, kind, shortcut));
    }
  }

  typed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " ") {
      event.preventDefault();
      if (!event.repeat) this.hook();
      return;
    }
    const key = KEYBOARD[nameOf(event)];
    if (!key) return;
    event.preventDefault();
    if (!event.repeat) this.hold(key);
    else if (key.startsWith("vol")) this.press(key);
  }

  hook() {
    this.press(this.status.hook === "off" ? "on-hook" : "off-hook");
  }

  hear(told) {
    if (told.event === "ear") return this.showLevel(told.level_db);
    if (told.event === "refused") return this.say(`${told.what}. ${told.cure}`);
    this.root.classList.toggle("off", told.event === "off");
    if (told.event === "off") {
      this.down.clear();
      this.status = { hook: "on", tone: "off", calls: [] };
      this.showStatus();
      return this.say("The phone is off");
    }
    if (told.screen) this.display.show(told.screen);
    if (told.lamps) this.showLamps(told.lamps);
    if (told.status) {
      this.status = told.status;
      this.showStatus();
    }
    if (told.screen && this.status.mode !== "idle") this.say(told.screen.rows.filter(Boolean).join(", "));
  }

  showHook() {
    const lifted = this.status.hook === "off";
    this.root.classList.toggle("lifted", lifted);
    const handset = this.find(".handset");
    handset.setAttribute("aria-pressed", lifted);
    handset.setAttribute("aria-label", lifted ? "Handset: lifted; put it down" : "Handset: down; lift it");
    handset.title = lifted ? "Put the handset down" : "Lift the handset";
  }

  showStatus() {
    const { tone, calls, ringing, focus } = this.status;
    this.showHook();
    this.root.classList.toggle("ringing", Boolean(ringing));
    const talking = calls.find((call) => call.state === "in_call");
    const silent = tone === "off" && !talking;
    this.find(".ear").classList.toggle("sounding", !silent);
    const what = tone === "off" && talking ? `the voice of ${talking.name || talking.number || "the far end"}` : HEARD[tone] ?? tone;
    this.set(".what", ringing ? "the bell rings" : what);
    const call = calls.find((each) => each.id === focus) ?? calls[0];
    this.set(".facts", call ? this.describe(call) : this.status.hook === "off" ? "handset lifted" : "handset down");
    this.find('[data-key="mute"]').setAttribute("aria-pressed", Boolean(call?.muted));
    this.tones.play(tone, Boolean(ringing), this.status.country);
  }

  describe(call) {
    const facts = [STATES[call.state] ?? call.state, ROUTES[call.route] ?? call.route];
    if (call.codec) facts.push(call.codec.replace("/48000", "").replace("/8000", ""));
    // An encrypted voice is not private while its key is sent in the clear (RFC 4568 section 8.3).
    if (call.state === "in_call") facts.push(call.srtp && call.tls ? "private" : "not private");
    return facts.join(" · ");
  }

  showLamps(lamps) {
    for (const lamp of this.root.querySelectorAll("[data-lamp]")) {
      const state = lamps[lamp.dataset.lamp] ?? "off";
      lamp.dataset.state = state;
      lamp.setAttribute("aria-label", `${lamp.textContent} lamp: ${state}`);
    }
  }

  showLevel(level) {
    const meter = this.find(".meter");
    meter.hidden = level === null;
    if (level === null) return;
    meter.style.setProperty("--level", Math.min(1, Math.max(0, 1 + level / 60)).toFixed(3));
    meter.setAttribute("aria-valuenow", Math.round(level));
  }

  set(selector, text) {
    const element = this.find(selector);
    if (element.textContent !== text) element.textContent = text;
  }

  say(text) {
    this.set(".spoken", text);
  }
}

const RETRY_MS = 500;
const phones = [];

function connect() {
  const socket = new WebSocket(`ws://${location.host}/live`);
  const state = document.querySelector("#connection");
  const send = (what) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
  };
  socket.addEventListener("open", () => (state.textContent = ""));
  socket.addEventListener("message", ({ data }) => {
    const told = JSON.parse(data);
    phones[told.phone] ??= new Phone(told.phone, told.name, (what) => connect.send(what));
    phones[told.phone].hear(told);
  });
  socket.addEventListener("close", () => {
    state.textContent = "Not connected. Is the simulator running?";
    for (const phone of phones) phone.hear({ event: "off" });
    setTimeout(connect, RETRY_MS);
  });
  connect.send = send;
}

document.querySelector("#audible").addEventListener("change", ({ target }) => {
  Tones.audible(target.checked);
  for (const phone of phones) phone.showStatus();
});

connect();
