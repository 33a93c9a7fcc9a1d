// A UDP relay that makes a line worse, for kernels without sch_netem. After the relay of the lab
// that the wire format was studied in (impair.mjs), whose options, generator and seed it keeps.
//   node bad-line.js LISTEN:PORT TARGET:PORT [delay=25] [jitter=0] [loss=1] [reorder=0] [dup=0]
//                    [rate=0] [queue=50] [seed=1]
// delay, jitter, queue in ms one way, both directions get them; loss, reorder, dup in percent;
// rate in Mbit/s, 0 for none. Tells what it did on SIGTERM, as JSON.
import { createSocket } from 'node:dgram';

const BUFFERS = { recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 };
const DEFAULTS = {
  delay: 0,
  jitter: 0,
  loss: 0,
  reorder: 0,
  dup: 0,
  rate: 0,
  queue: 50,
  seed: 1,
};
/** The queue's taken part is cut off when it is this long. */
const COMPACT_AFTER = 4096;
/** `setTimeout` may be late by this much, so the last piece of a wait is spent in immediates. */
const TIMER_SLACK_MS = 1.5;

const [listen = '', target = '', ...settings] = process.argv.slice(2);
const options = { ...DEFAULTS };
for (const setting of settings) {
  const [key, value] = setting.split('=');
  if (!(key in DEFAULTS)) throw new Error(`unknown setting ${key}`);
  options[key] = Number(value);
}
const counters = { in: 0, out: 0, lost: 0, tail: 0, reordered: 0, duplicated: 0 };

/** xorshift32 as a percentage, so that runs can be repeated. */
let state = options.seed >>> 0 || 1;
function percent() {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return (state / 2 ** 32) * 100;
}

/** One direction: a queue in the order of due times, and a few packets that are held back. */
class Direction {
  #queue = [];
  #head = 0;
  #freeAt = 0;
  #late = [];
  #send;

  constructor(send) {
    this.#send = send;
  }

  take(packet) {
    const { loss, rate, queue, delay, jitter, reorder, dup } = options;
    counters.in += 1;
    if (loss > 0 && percent() < loss) {
      counters.lost += 1;
      return;
    }
    let due = performance.now();
    if (rate > 0) {
      const start = Math.max(due, this.#freeAt);
      if (start - due > queue) {
        counters.tail += 1;
        return;
      }
      due = start + (packet.length * 8) / (rate * 1000);
      this.#freeAt = due;
    }
    due += delay + (jitter > 0 ? (percent() / 100) * jitter : 0);
    if (reorder > 0 && percent() < reorder) {
      counters.reordered += 1;
      this.#late.push({ packet, due: due + Math.max(2, delay / 4) });
    } else {
      due = Math.max(due, this.#queue.at(-1)?.due ?? 0);
      this.#queue.push({ packet, due });
    }
    if (dup > 0 && percent() < dup) {
      counters.duplicated += 1;
      this.#queue.push({ packet, due });
    }
    arm();
  }

  /** Sends what is due; gives when the next packet is. */
  run(now) {
    while (this.#head < this.#queue.length && this.#queue[this.#head].due <= now) {
      this.#emit(this.#queue[this.#head].packet);
      this.#queue[this.#head] = undefined;
      this.#head += 1;
    }
    if (this.#head > COMPACT_AFTER || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    for (const { packet } of this.#late.filter(({ due }) => due <= now)) this.#emit(packet);
    this.#late = this.#late.filter(({ due }) => due > now);
    const next = this.#queue[this.#head]?.due ?? Number.POSITIVE_INFINITY;
    return this.#late.reduce((earliest, { due }) => Math.min(earliest, due), next);
  }

  #emit(packet) {
    counters.out += 1;
    this.#send(packet);
  }
}

const directions = [];
let armed = false;
function arm() {
  if (armed) return;
  armed = true;
  setImmediate(step);
}

function step() {
  const now = performance.now();
  const next = Math.min(...directions.map((direction) => direction.run(now)));
  armed = next !== Number.POSITIVE_INFINITY;
  if (!armed) return;
  if (next - now > TIMER_SLACK_MS) setTimeout(step, next - now - TIMER_SLACK_MS / 3);
  else setImmediate(step);
}

const addressOf = (text) => {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon), Number(text.slice(colon + 1))];
};
const [listenAddress, listenPort] = addressOf(listen);
const [targetAddress, targetPort] = addressOf(target);
const front = createSocket({ type: listenAddress.includes(':') ? 'udp6' : 'udp4', ...BUFFERS });
const callers = new Map();

front.on('message', (packet, { address, port }) => {
  const name = `${address} ${port}`;
  const known = callers.get(name) ?? open(name, address, port);
  known.take(packet);
});

/** A socket towards the target for each caller. */
function open(name, address, port) {
  const back = createSocket({ type: targetAddress.includes(':') ? 'udp6' : 'udp4', ...BUFFERS });
  const early = [];
  let connected = false;
  const down = new Direction((packet) => front.send(packet, port, address));
  const up = new Direction((packet) => (connected ? back.send(packet) : early.push(packet)));
  back.on('error', () => {});
  back.on('message', (packet) => down.take(packet));
  back.connect(targetPort, targetAddress, () => {
    connected = true;
    for (const packet of early.splice(0)) back.send(packet);
  });
  directions.push(up, down);
  callers.set(name, up);
  return up;
}

front.bind(listenPort, listenAddress, () => console.log(JSON.stringify({ ready: options })));
process.on('SIGTERM', () => {
  console.log(JSON.stringify(counters));
  process.exit(0);
});
