import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/model/profile.ts';
import { isDataPacket } from '../../src/packetmuxer/route.ts';
import { resolveServerOptions } from '../../src/server/server-options.ts';
import { DRAIN_MS, FAREWELL_MS, MAX_EXIT_COPIES } from '../../src/session/farewell.ts';
import { Session } from '../../src/session/session.ts';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';
import { clientSessionOptions } from '../../src/vpnclient/client-session.ts';
import { resolveClientOptions } from '../../src/vpnclient/options.ts';
import { SignIn } from '../../src/vpnclient/sign-in.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { CLIENT, SERVER, simIdentity } from '../sim/sim-identity.ts';
import { SimLink } from '../sim/sim-link.ts';
import { SimServer } from '../sim/sim-server.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** Turns of the event loop that node:tls may need. */
const TURNS = 40;

/** As an older client: EXIT on the control channel is not announced, so it is not granted. */
const WITHOUT_CC_EXIT = CLIENT_IV_PROTO & ~IvProto.CC_EXIT_NOTIFY;

/** A client with a tunnel, joined to its server by two function calls. */
async function connected(changes: Partial<Profile>, ivProto = CLIENT_IV_PROTO) {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const identity = await simIdentity('none');
  const dataPackets: number[] = [];
  let isOpen = true;
  const link = new SimLink(
    {
      localAddress: CLIENT.address,
      localPort: CLIENT.port,
      remoteAddress: SERVER.address,
      remotePort: SERVER.port,
    },
    (datagram) => {
      if (isDataPacket(datagram)) dataPackets.push(clock.now());
      if (isOpen) server.receive(datagram);
    },
  );
  const server = new SimServer(
    resolveServerOptions({ ...identity.server, clock, random }),
    (datagram) => isOpen && link.deliver(datagram),
  );
  const profile = { ...identity.profile, ...changes };
  const client = new Session(
    clientSessionOptions(link, {
      profile,
      options: resolveClientOptions({ profile, clock, random, ivProto }),
      signIn: new SignIn(profile, {}),
      signal: new AbortController().signal,
      stage: () => {},
      emit: () => {},
    }),
  );
  const settle = async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      clock.settle();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  client.start();
  await settle();
  await client.established;
  dataPackets.length = 0;
  return { clock, client, server, dataPackets, settle, cut: () => (isOpen = false) };
}

describe('a goodbye over the data channel', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'not asked for: nothing is sent', explicitExitNotify: undefined, copies: 0 },
    { name: '0: nothing is sent',             explicitExitNotify: 0,         copies: 0 },
    { name: '1',                              explicitExitNotify: 1,         copies: 1 },
    { name: '3',                              explicitExitNotify: 3,         copies: 3 },
    { name: 'far too many',                   explicitExitNotify: 60,        copies: MAX_EXIT_COPIES },
  ])('explicit-exit-notify $name', async ({ explicitExitNotify, copies }) => {
    const pair = await connected({ explicitExitNotify }, WITHOUT_CC_EXIT);
    const startedAt = pair.clock.now();
    const closed = pair.client.close();
    await pair.settle();
    await closed;
    expect(pair.dataPackets).toHaveLength(copies);
    expect(pair.clock.now()).toBe(startedAt);
    expect(pair.server.endings).toEqual(
      copies === 0 ? [] : [expect.objectContaining({ code: 'OVPN_PEER_EXIT' })],
    );
    pair.server.session?.stop();
  });

  test('comes after packets that wait', async () => {
    const pair = await connected({ explicitExitNotify: 1 }, WITHOUT_CC_EXIT);
    const packet = Buffer.from(
      '450000140000000040010000 0a080002 0a080001'.replaceAll(' ', ''),
      'hex',
    );
    for (let count = 0; count < 100; count += 1) pair.client.tun.write(Buffer.from(packet));
    const closed = pair.client.close();
    await pair.settle();
    await closed;
    expect(pair.dataPackets).toHaveLength(101);
    expect(pair.server.endings).toHaveLength(1);
  });
});

describe('a goodbye over the control channel', () => {
  test('is EXIT where that was granted: nothing goes over the data channel', async () => {
    const pair = await connected({ explicitExitNotify: 1 });
    const closed = pair.client.close();
    await pair.settle();
    pair.clock.advance(10);
    await closed;
    expect(pair.dataPackets).toEqual([]);
    expect(pair.server.endings).toEqual([expect.objectContaining({ code: 'OVPN_PEER_EXIT' })]);
  });

  test('is given up after a second', async () => {
    const pair = await connected({});
    pair.cut();
    let isClosed = false;
    const closed = pair.client.close().then(() => {
      isClosed = true;
    });
    await pair.settle();
    pair.clock.advance(FAREWELL_MS - 1);
    await pair.settle();
    expect(isClosed).toBe(false);
    pair.clock.advance(1);
    await pair.settle();
    await closed;
    pair.server.session?.stop();
  });

  test('is cut short when the session ends', async () => {
    const pair = await connected({});
    pair.cut();
    const closed = pair.client.close();
    const error = new Error('the link broke');
    pair.client.fail(error);
    await closed;
    expect(await pair.client.done).toBe(error);
    expect(pair.clock.now()).toBeLessThan(FAREWELL_MS);
    pair.server.session?.stop();
  });

  test('waits no longer than DRAIN_MS for packets that cannot leave', () => {
    expect(DRAIN_MS).toBeLessThan(FAREWELL_MS / 2);
  });
});
