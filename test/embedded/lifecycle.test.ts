import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { OvpnError, OvpnUsageError } from '../../src/core/errors.ts';
import type { ClientState, StateEvent } from '../../src/vpnclient/events.ts';
import type { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { resourcesSince } from './resources.ts';
import { pingOnce, Site, startError, type Wrap } from './site.ts';

const TRANSPORTS = ['udp', 'tcp'] as const;

/** `resolving connecting negotiating/S_PRE_START …` */
function recordStates(client: VpnClient): StateEvent[] {
  const events: StateEvent[] = [];
  client.on('state', (event) => events.push(event));
  return events;
}

/** Stages of a handshake at which something may happen to it. */
const STAGES: readonly (readonly [ClientState, string | undefined])[] = [
  ['resolving', undefined],
  ['connecting', undefined],
  ['negotiating', 'S_PRE_START'],
  ['negotiating', 'S_START'],
  ['negotiating', 'S_SENT_KEY'],
  ['negotiating', 'S_GOT_KEY'],
  ['negotiating', 'S_ACTIVE'],
  ['negotiating', 'S_GENERATED_KEYS'],
];

/** The client may vanish here without a server that waits a second for its answer. */
const EARLY_STAGES = STAGES.slice(0, 5);

function whenAt(
  client: VpnClient,
  [state, negotiation]: (typeof STAGES)[number],
  act: () => void,
): void {
  client.on('state', (event) => {
    if (event.state === state && event.negotiation === negotiation) act();
  });
}

describe.each(TRANSPORTS)('a client over %s', (protocol) => {
  describe.each<Wrap>(['none', 'tls-crypt'])('with wrap %s', (wrap) => {
    test('goes through all states, pings, leaves, and nothing stays behind', async () => {
      const before = process.getActiveResourcesInfo();
      const site = await Site.open({ protocol, wrap });
      const serverDialer = site.serverDialer();
      const client = site.client();
      const states = recordStates(client);
      const told: string[] = [];
      for (const name of ['push', 'up', 'connect', 'ready', 'down', 'end', 'close'] as const) {
        client.on(name, () => told.push(`${name} ${client.state}`));
      }

      const info = await client.start();
      expect(client.info).toBe(info);
      expect(info).toMatchObject({ protocol, cipher: 'AES-256-GCM', mtu: 1500 });
      expect(Object.isFrozen(info)).toBe(true);

      client.resume();
      await client.close();
      await serverDialer.close();
      await client.close();
      expect(
        states.map(({ state, negotiation }) => `${state} ${negotiation ?? ''}`.trim()),
      ).toEqual([
        'resolving',
        'connecting',
        'negotiating S_PRE_START',
        'negotiating S_START',
        'negotiating S_SENT_KEY',
        'negotiating S_GOT_KEY',
        'negotiating S_ACTIVE',
        'negotiating S_GENERATED_KEYS',
        'up S_GENERATED_KEYS',
        'closing',
        'down',
      ]);
      expect(states.every(Object.isFrozen)).toBe(true);
      const times = states.map(({ elapsedMs }) => elapsedMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(told).toEqual([
        'push negotiating',
        'up up',
        'connect up',
        'ready up',
        'down down',
        'end down',
        'close down',
      ]);
      expect(await client.ended).toBeUndefined();
      expect(await resourcesSince(before)).toEqual([]);
    });
  });

  test('a dialer over it pings, closes it, and nothing stays behind', async () => {
    const before = process.getActiveResourcesInfo();
    const site = await Site.open({ protocol });
    const serverDialer = site.serverDialer();
    const dialer = await site.dialer();
    expect(await pingOnce(dialer, '10.8.0.1')).toBeGreaterThan(0);
    expect(await pingOnce(serverDialer, dialer.info.ipv4?.address ?? '')).toBeGreaterThan(0);
    const startedAt = performance.now();
    await dialer.close();
    await serverDialer.close();
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(dialer.client.state).toBe('down');
    expect(await resourcesSince(before)).toEqual([]);
  });

  test.each(STAGES)('aborted while %s %s: OVPN_ABORTED with the reason', async (...stage) => {
    const before = process.getActiveResourcesInfo();
    {
      await using site = await Site.open({ protocol });
      const client = site.client();
      const stop = new AbortController();
      const reason = new Error('no longer wanted');
      whenAt(client, stage, () => stop.abort(reason));
      const startedAt = performance.now();
      const outcome = client.start({ signal: stop.signal }).catch((error: unknown) => error);
      if (stage[1] === 'S_GENERATED_KEYS') {
        // The tunnel was there before the abort was seen: either is right, and nothing in between.
        const result = await outcome;
        expect(result instanceof OvpnError ? client.state : 'down').toBe('down');
        return;
      }
      const error = await outcome;
      expect(error).toBeInstanceOf(OvpnError);
      expect(error).toMatchObject({ code: 'OVPN_ABORTED', initiator: 'user', cause: reason });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(client.state).toBe('down');
      expect(await client.ended).toBe(error);
    }
    expect(await resourcesSince(before)).toEqual([]);
  });

  test.each(EARLY_STAGES)(
    'closed while %s %s: start() rejects, close() resolves',
    async (...stage) => {
      const before = process.getActiveResourcesInfo();
      {
        await using site = await Site.open({ protocol });
        const client = site.client();
        let closed: Promise<void> | undefined;
        whenAt(client, stage, () => {
          closed ??= client.close();
        });
        await expect(client.start()).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
        await closed;
        expect(client.closed).toBe(true);
        expect(await client.ended).toBeUndefined();
      }
      expect(await resourcesSince(before)).toEqual([]);
    },
  );

  test.each(EARLY_STAGES)('destroyed while %s %s: start() rejects with it', async (...stage) => {
    await using site = await Site.open({ protocol });
    const client = site.client();
    const reason = new Error('destroyed by the test');
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    whenAt(client, stage, () => client.destroy(reason));
    await expect(client.start()).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: reason });
    await client.close();
    expect(await client.ended).toBe(reason);
    expect(errors).toEqual([reason]);
  });
});

describe('VpnClient.start', () => {
  test('may be called once only', async () => {
    await using site = await Site.open();
    const client = site.client();
    const first = client.start();
    await expect(client.start()).rejects.toThrow(OvpnUsageError);
    await first;
    await expect(client.start()).rejects.toThrow('it is up');
    await client.close();
    await expect(client.start()).rejects.toThrow('it is down');
  });

  test('rejects at once when the signal was aborted before', async () => {
    await using site = await Site.open();
    const client = site.client();
    const states = recordStates(client);
    const start = client.start({ signal: AbortSignal.abort(new Error('too late')) });
    await expect(start).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
    expect(states.map(({ state }) => state)).toEqual(['down']);
  });

  test('a signal that is aborted later does nothing to a tunnel that is up', async () => {
    await using site = await Site.open();
    const stop = new AbortController();
    const client = site.client();
    await client.start({ signal: stop.signal });
    stop.abort(new Error('late'));
    expect(client.state).toBe('up');
  });

  test('what fails is told by the rejection alone: no error event', async () => {
    await using site = await Site.open();
    const client = site.client({ lines: ['verify-x509-name other name'] });
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    const error = await startError(client);
    await client.close();
    expect(error).toMatchObject({ code: 'OVPN_CERT_NAME' });
    expect(await client.ended).toBe(error);
    expect(errors).toEqual([]);
  });
});

describe('VpnClient.close', () => {
  test('before start: down, and start() is refused', async () => {
    await using site = await Site.open();
    const client = site.client();
    await client.close();
    await client.close();
    expect(client).toMatchObject({ state: 'down', closed: true, readyState: 'closed' });
    expect(await client.ended).toBeUndefined();
    await expect(client.start()).rejects.toThrow(OvpnUsageError);
  });

  test('after a failed start resolves too', async () => {
    await using site = await Site.open();
    const client = site.client({ lines: ['verify-x509-name other name'] });
    await startError(client);
    await client.close();
    expect(client.closed).toBe(true);
  });

  test('end() leaves in order', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    const left = new Promise((resolve) => site.server.once('disconnect', resolve));
    client.end();
    expect(await left).toMatchObject({ error: undefined });
    expect(await client.ended).toBeUndefined();
  });
});

describe('a tunnel that the server ends, and that is not to come back', () => {
  test('is down with its cause, and that is an error event', async () => {
    await using site = await Site.open();
    const client = await site.connected({}, { reconnect: false });
    const downs: unknown[] = [];
    const errors: unknown[] = [];
    client.on('down', (event) => downs.push(event));
    client.on('error', (error) => errors.push(error));
    await site.server.close();
    const error = await client.ended;
    await client.close();
    expect(error).toMatchObject({ code: 'OVPN_PEER_RESTART', retryable: true });
    expect(downs).toEqual([{ error }]);
    expect(errors).toEqual([error]);
    expect(client.readyState).toBe('closed');
  });

  test('is no error event where a dialer is told', async () => {
    await using site = await Site.open();
    const dialer = await site.dialer({}, { reconnect: false });
    const errors: unknown[] = [];
    dialer.client.on('error', (error) => errors.push(error));
    await site.server.close();
    expect(await dialer.client.ended).toMatchObject({ code: 'OVPN_PEER_RESTART' });
    await dialer.close();
    expect(errors).toEqual([]);
  });
});

describe('the properties of a net.Socket', () => {
  test('follow the tunnel', async () => {
    await using site = await Site.open();
    const client = site.client();
    expect(client).toMatchObject({ pending: true, connecting: false, readyState: 'closed' });
    expect(client.remoteAddress).toBeUndefined();
    const start = client.start();
    expect(client).toMatchObject({ pending: true, connecting: true, readyState: 'opening' });
    await start;
    const { address, port } = site.server.address();
    expect(client).toMatchObject({
      pending: false,
      connecting: false,
      readyState: 'open',
      remoteAddress: address,
      remotePort: port,
      localAddress: '127.0.0.1',
      bytesRead: 0,
      bytesWritten: 0,
    });
    expect(client.localPort).toBeGreaterThan(0);
  });

  test('say what may be said only of a tunnel that is up', async () => {
    await using site = await Site.open();
    const client = site.client();
    for (const ask of [() => client.info, () => client.tun, () => client.renegotiate()]) {
      expect(ask).toThrow(OvpnUsageError);
    }
    expect(client.stats).toMatchObject({ packetsIn: 0, packetsOut: 0, overflows: 0, drops: {} });
  });

  test('inspect shows no internals', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    expect(inspect(client, { depth: 8, showHidden: true })).not.toContain('PRIVATE KEY');
  });
});

describe('renegotiate', () => {
  test('is told by rekey with the next key id', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    for (const keyId of [1, 2]) {
      const rekeyed = new Promise((resolve) => client.once('rekey', resolve));
      client.renegotiate();
      expect(await rekeyed).toEqual({ keyId });
    }
  });
});
