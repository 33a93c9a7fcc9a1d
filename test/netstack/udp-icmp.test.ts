import { describe, expect, test } from 'vitest';
import type { UdpEndpoint, UdpUnreachable } from '../../src/netstack/udp-endpoint.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { headerOf } from './fragments.ts';
import { icmpError, TIME_EXCEEDED, TOO_BIG } from './icmp-error.ts';
import { RouterPath } from './router.ts';
import { FAMILIES, UdpLog, udpPacket } from './socket-logs.ts';

/** A {@link UdpLog} that also hears of datagrams of an endpoint that is not connected. */
class ErrorLog extends UdpLog {
  readonly errors: UdpUnreachable[] = [];

  unreachable(error: UdpUnreachable): void {
    this.errors.push(error);
  }
}

describe.each(FAMILIES)('ICMP errors about UDP over IPv$family', ({ family, left, right }) => {
  const router = family === 4 ? '10.9.0.1' : 'fd09::1';
  const elsewhere = family === 4 ? '10.8.0.77' : 'fd00::77';

  function quoting(packet: Buffer, typeAndCode: number, body = 0): Buffer {
    return icmpError(packet, { typeAndCode, body, from: router, to: left });
  }

  // biome-ignore format: one case a line
  const kinds = [
    { kind: 'network-unreachable',  code: { 4: 0x0300, 6: 0x0100 } },
    { kind: 'host-unreachable',     code: { 4: 0x0301, 6: 0x0103 } },
    { kind: 'protocol-unreachable', code: { 4: 0x0302, 6: 0x0401 } },
    { kind: 'port-unreachable',     code: { 4: 0x0303, 6: 0x0104 } },
    { kind: 'prohibited',           code: { 4: 0x030d, 6: 0x0101 } },
    { kind: 'time-exceeded',        code: { 4: 0x0b00, 6: 0x0300 } },
    { kind: 'parameter-problem',    code: { 4: 0x0c00, 6: 0x0400 } },
  ] as const;

  test.each(kinds)('$kind reaches a connected endpoint', ({ kind, code }) => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    const remote = { address: address(right), port: 9 };
    const { localPort } = pair.left.openUdp({ family, remote }, log);
    pair.leftTun.inject(quoting(udpPacket(left, localPort, right, 9), code[family]));
    pair.settle();
    expect(log.failures).toEqual([kind]);
    expect(pair.left.stats().drops).toEqual({});
  });

  test('an endpoint that is not connected hears of its datagrams only where it asks to', () => {
    const pair = new NetstackPair();
    const [deaf, hearing] = [new UdpLog(), new ErrorLog()];
    const ports = [deaf, hearing].map((log) => pair.left.openUdp({ family }, log).localPort);
    for (const port of ports) {
      pair.leftTun.inject(quoting(udpPacket(left, port, right, 9), TIME_EXCEEDED[family]));
    }
    pair.settle();
    expect(deaf.failures).toEqual([]);
    expect(hearing.failures).toEqual([]);
    expect(hearing.errors).toMatchObject([{ kind: 'time-exceeded', port: 9 }]);
    expect([String(hearing.errors[0]?.from), String(hearing.errors[0]?.to)]).toEqual([
      router,
      right,
    ]);
  });

  test('a quote from another port, address or peer is not believed', () => {
    const pair = new NetstackPair();
    const [connected, free] = [new ErrorLog(), new ErrorLog()];
    const remote = { address: address(right), port: 9 };
    const one = pair.left.openUdp({ family, remote }, connected).localPort;
    const other = pair.left.openUdp({ family }, free).localPort;
    const forged = [
      udpPacket(left, one, right, 10),
      udpPacket(left, one, elsewhere, 9),
      udpPacket(elsewhere, one, right, 9),
      udpPacket(elsewhere, other, right, 9),
      udpPacket(left, other ^ 1, right, 9),
    ];
    for (const packet of forged) pair.leftTun.inject(quoting(packet, 0x0303));
    for (const packet of forged) pair.leftTun.inject(quoting(packet, 0x0104));
    pair.settle();
    expect([connected.failures, connected.errors, free.errors]).toEqual([[], [], []]);
  });

  test('the hop limit of an endpoint is that of what it sends', () => {
    const sent: number[] = [];
    const filter = (packet: Buffer) => {
      sent.push(headerOf(packet).hopLimit);
      return packet;
    };
    const pair = new NetstackPair({ filter });
    const endpoint = pair.left.openUdp({ family }, new UdpLog());
    pair.right.openUdp({ family, port: 9 }, new UdpLog());
    endpoint.send(Buffer.alloc(1), address(right), 9);
    endpoint.hopLimit = 3;
    endpoint.send(Buffer.alloc(2000), address(right), 9);
    pair.settle();
    expect(sent).toEqual([64, 3, 3]);
  });

  test('what its owner has no room for is dropped and counted', () => {
    const pair = new NetstackPair();
    const log = Object.assign(new UdpLog(), { accepts: () => log.received.length < 2 });
    pair.right.openUdp({ family, port: 9 }, log);
    for (const text of ['a', 'b', 'c', 'd']) {
      pair.rightTun.inject(udpPacket(left, 1, right, 9, text));
    }
    pair.settle();
    expect(log.received.map(({ payload }) => String(payload))).toEqual(['a', 'b']);
    expect(pair.right.stats()).toMatchObject({ drops: { 'no-room': 2 }, packetsOut: 0 });
  });
});

describe('packet too big about UDP', () => {
  const routed = () => {
    const path = new RouterPath([{ mtu: 1400 }]);
    const lengths: number[] = [];
    const pair = new NetstackPair({
      filter: (packet, from) => {
        if (from === 'left') lengths.push(packet.length);
        return path.filter(packet, from);
      },
    });
    path.attach(pair.leftTun);
    return { pair, lengths };
  };

  test('cuts what goes there over IPv6, for ten minutes', () => {
    const { pair, lengths } = routed();
    const log = new UdpLog();
    pair.right.openUdp({ family: 6, port: 9 }, log);
    const endpoint = pair.left.openUdp({ family: 6 }, new UdpLog());
    const send = () => {
      lengths.length = 0;
      endpoint.send(Buffer.alloc(1450), address('fd00::2'), 9);
      pair.settle();
      return [...lengths];
    };
    expect(send()).toEqual([1498]);
    expect(log.received).toEqual([]);
    expect(send()).toEqual([1400, 154]);
    expect(log.received.length).toBe(1);
    pair.advance(599_000);
    expect(send()).toEqual([1400, 154]);
    pair.advance(1_000);
    expect(send()).toEqual([1498]);
  });

  test('tells a connected endpoint', () => {
    const { pair } = routed();
    const log = new UdpLog();
    const remote = { address: address('fd00::2'), port: 9 };
    pair.left.openUdp({ family: 6, remote }, log).send(Buffer.alloc(1450), remote.address, 9);
    pair.settle();
    expect(log.failures).toEqual(['too-big']);
  });

  // biome-ignore format: one case a line
  test.each([
    { name: 'over IPv4, where routers cut themselves', family: 4, sent: 1472, port: 9,  mtu: 600,  local: 0, after: 1500 },
    { name: 'over IPv6',                               family: 6, sent: 1450, port: 9,  mtu: 1300, local: 0, after: 1300 },
    { name: 'below the floor',                         family: 6, sent: 1450, port: 9,  mtu: 68,   local: 0, after: 1280 },
    { name: 'about a length that was never sent',      family: 6, sent: 1000, port: 9,  mtu: 1300, local: 0, after: 1498 },
    { name: 'about a port of nobody',                  family: 6, sent: 1450, port: 9,  mtu: 1300, local: 1, after: 1498 },
  ] as const)('$name: the largest packet is then $after', ({ family, sent, port, mtu, local, after }) => {
    const lengths: number[] = [];
    const pair = new NetstackPair({
      filter: (packet) => {
        lengths.push(packet.length);
        return undefined;
      },
    });
    const [left, right] = family === 4 ? ['10.8.0.1', '10.8.0.2'] : ['fd00::1', 'fd00::2'];
    const endpoint: UdpEndpoint = pair.left.openUdp({ family }, new UdpLog());
    endpoint.send(Buffer.alloc(sent), address(right), port);
    const quoted = udpPacket(left, endpoint.localPort ^ local, right, port);
    const from = family === 4 ? '10.9.0.1' : 'fd09::1';
    pair.leftTun.inject(icmpError(quoted, { typeAndCode: TOO_BIG[family], body: mtu, from, to: left }));
    pair.settle();
    lengths.length = 0;
    endpoint.send(Buffer.alloc(family === 4 ? 1472 : 1450), address(right), port);
    pair.settle();
    expect(Math.max(...lengths)).toBeLessThanOrEqual(after);
    expect(Math.max(...lengths)).toBeGreaterThan(after - 8);
  });
});
