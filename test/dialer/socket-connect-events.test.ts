import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SocketConnect } from '../../src/dialer/socket-connect.ts';
import { connectEvents } from '../../src/dialer/socket-connect-events.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';

const EVENTS = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
] as const;
const [FIRST, SECOND] = ['fd00::1', '10.0.0.1'].map((text) => IpAddress.parse(text)) as [
  IpAddress,
  IpAddress,
];

/** As much of a socket as connecting needs. */
class Connecting extends EventEmitter {
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];
  readonly seen: unknown[][] = [];
  destroyed = false;

  constructor() {
    super();
    for (const event of EVENTS) this.on(event, (...args) => this.seen.push([event, ...args]));
  }

  destroy(error: Error): void {
    this.destroyed = true;
    this.seen.push(['destroyed', error]);
  }
}

let socket: Connecting;
let events: ConstructorParameters<typeof SocketConnect>[2];

beforeEach(() => {
  socket = new Connecting();
  events = connectEvents(socket, 80, () => {});
});

describe('connectEvents', () => {
  test('tells the addresses of a name', async () => {
    events.lookedUp([{ address: 'fd00::1', family: 6 }], 'name.test');
    expect(socket.seen).toEqual([]);
    await turn();
    expect(socket.seen).toEqual([['lookup', null, 'fd00::1', 6, 'name.test']]);
  });

  test('tells why a name has none, and destroys the socket', async () => {
    const error = new Error('no such name');
    events.lookupFailed(error, 'name.test');
    await turn();
    expect(socket.seen).toEqual([
      ['destroyed', error],
      ['lookup', error, undefined, undefined, 'name.test'],
    ]);
  });

  test('an attempt that failed is told once', async () => {
    const error = new Error('refused');
    events.attempt(FIRST);
    events.attemptFailed(FIRST, error);
    events.attempt(SECOND);
    await turn();
    expect(socket.seen).toEqual([
      ['connectionAttempt', 'fd00::1', 80, 6],
      ['connectionAttemptFailed', 'fd00::1', 80, 6, error],
      ['connectionAttempt', '10.0.0.1', 80, 4],
    ]);
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual(['fd00::1:80', '10.0.0.1:80']);
  });

  test('an attempt beside which another begins has timed out', async () => {
    events.attempt(FIRST);
    events.attempt(SECOND);
    await turn();
    expect(socket.seen).toEqual([
      ['connectionAttempt', 'fd00::1', 80, 6],
      ['connectionAttemptTimeout', 'fd00::1', 80, 6],
      ['connectionAttempt', '10.0.0.1', 80, 4],
    ]);
  });

  test('tells nothing of a socket that is destroyed', async () => {
    socket.destroyed = true;
    events.attempt(FIRST);
    await turn();
    expect(socket.seen).toEqual([]);
  });
});
