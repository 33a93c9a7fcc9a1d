import dgram from 'node:dgram';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KERNEL_ONLY_METHODS } from '../../src/dialer/kernel-only.ts';
import { type TunnelPair, tunnelPair } from './tunnel-pair.ts';

let pair: TunnelPair;

beforeEach(() => {
  pair = tunnelPair();
});

afterEach(async () => {
  await pair[Symbol.asyncDispose]();
});

const OPTION = 'an option of the constructor; that it shows is not documented';

/** Names of Node's that ours do without, and why. */
const ABSENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Socket: {},
  Server: {
    allowHalfOpen: OPTION,
    pauseOnConnect: OPTION,
    noDelay: OPTION,
    keepAlive: OPTION,
    keepAliveInitialDelay: OPTION,
    highWaterMark: OPTION,
  },
  'dgram.Socket': { sendto: 'an old name of send, deprecated in Node (DEP0112 keeps it)' },
};

const REST = 'takes its many forms by one rest parameter';
const KERNEL = 'says that it needs a kernel, whatever it is given';

/** Where a method's `length` may differ, and why. */
const OTHER_ARITY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Socket: {},
  Server: {},
  'dgram.Socket': {
    bind: REST,
    connect: REST,
    send: REST,
    ...Object.fromEntries(KERNEL_ONLY_METHODS.map((method) => [method, KERNEL])),
  },
};

/** Every public name that Node's class, a base of it or an object of it has, with the arity of methods. */
function surface(like: object, stopAt: object): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  for (let place = like; place !== stopAt; place = Object.getPrototypeOf(place)) {
    for (const name of Object.getOwnPropertyNames(place)) {
      if (name.startsWith('_') || name === 'constructor' || found.has(name)) continue;
      const { value } = Object.getOwnPropertyDescriptor(place, name) ?? {};
      found.set(name, typeof value === 'function' ? value.length : undefined);
    }
  }
  return found;
}

const socket = new net.Socket();
const server = net.createServer();
const udp = dgram.createSocket('udp4');
udp.close();

const EVENT_EMITTER = Object.getPrototypeOf(net.Server.prototype);

describe.each([
  { name: 'Socket', theirs: socket, base: Duplex.prototype, ours: () => pair.client.socket() },
  { name: 'Server', theirs: server, base: EVENT_EMITTER, ours: () => pair.client.listen({}) },
  {
    name: 'dgram.Socket',
    theirs: udp,
    base: EVENT_EMITTER,
    ours: () => pair.client.createSocket('udp4'),
  },
])('in place of $name', ({ name, theirs, base, ours }) => {
  const names = surface(theirs, base);

  test('every public name is there, or has a reason not to be', () => {
    const own = ours();
    const missing = [...names.keys()].filter((wanted) => !(wanted in own));
    expect(missing).toEqual(Object.keys(ABSENT[name] ?? {}));
  });

  test('every method takes as many arguments', () => {
    const own = new Map(Object.entries(methodsOf(ours())));
    const others = [...names].filter(
      ([method, arity]) => arity !== undefined && own.has(method) && own.get(method) !== arity,
    );
    const reasons = OTHER_ARITY[name] ?? {};
    expect(others.filter(([method]) => !(method in reasons))).toEqual([]);
  });

  test('it can be disposed of', () => {
    expect(Symbol.asyncDispose in theirs).toBe(true);
    expect(Symbol.asyncDispose in ours()).toBe(true);
  });
});

/** The arity of every method, inherited ones too. */
function methodsOf(like: object): Record<string, number> {
  const found: Record<string, number> = {};
  for (let place = like; place !== Object.prototype; place = Object.getPrototypeOf(place)) {
    for (const method of Object.getOwnPropertyNames(place)) {
      const { value } = Object.getOwnPropertyDescriptor(place, method) ?? {};
      if (typeof value === 'function') found[method] ??= value.length;
    }
  }
  return found;
}
