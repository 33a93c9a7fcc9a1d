import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { established, LOCAL_ISN, ScriptedPeer } from './scripted-peer.ts';

const MSS = 1000;

/** `count` segments' worth of data, in flight. */
function sending(count: number, options: Parameters<typeof established>[0] = {}): ScriptedPeer {
  const peer = established(options);
  peer.connection.write(Buffer.alloc(count * MSS));
  peer.take();
  return peer;
}

describe('the windows', () => {
  test('ten segments go at first', () => {
    const peer = established();
    peer.connection.write(Buffer.alloc(50 * MSS));
    expect(peer.take()).toHaveLength(10);
    expect(peer.connection.info()).toMatchObject({ inFlight: 10 * MSS, cwnd: 10 * MSS });
  });

  test('slow start sends two for one', () => {
    const peer = sending(50);
    peer.send('A', 1, 1 + 2 * MSS);
    expect(peer.take()).toHaveLength(4);
  });

  test('the window does not grow while the application is what limits', () => {
    const peer = sending(5);
    peer.send('A', 1, 1 + 5 * MSS);
    expect(peer.connection.info().cwnd).toBe(10 * MSS);
  });

  test('the window does not grow while a processor that wakes late is what limits', () => {
    const peer = established();
    const { connection } = peer;
    connection.write(Buffer.alloc(50_000 * MSS));
    const sent: number[] = [];
    // A round trip of 100 ms, and pacing that is asked every 20 ms.
    for (let turn = 0; turn < 60; turn += 1) {
      const arrived = sent[turn - 5] ?? 0;
      if (arrived > (sent[turn - 6] ?? 0)) peer.send('A', 1, 1 + arrived, { window: 65_535 });
      peer.take();
      sent.push(connection.info().bytesSent);
      peer.now += 20;
    }
    const { cwnd, inFlight } = connection.info();
    expect(cwnd).toBeLessThan(3 * inFlight);
  });

  test('never sends more than the peer has room for', () => {
    const peer = established();
    peer.send('A', 1, 1, { window: 2500 });
    peer.connection.write(Buffer.alloc(10 * MSS));
    expect(peer.take()).toEqual(['A 1/1 +1000', 'A 1001/1 +1000']);
  });

  test('uses a small rest of the window once it is half of the largest', () => {
    const peer = new ScriptedPeer({ timestamps: false, windowScaling: false });
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { mss: MSS, window: 800 });
    peer.connection.write(Buffer.alloc(5000));
    expect(peer.take()).toEqual(['A 1/1 +800']);
    peer.send('A', 1, 801, { window: 300 });
    expect(peer.take()).toEqual([]);
    peer.send('A', 1, 801, { window: 400 });
    expect(peer.take()).toEqual(['A 801/1 +400']);
  });

  test('an older segment does not change the window', () => {
    const peer = sending(2);
    peer.send('A', 1, 1 + 2 * MSS, { window: 5000 });
    peer.send('A', 1, 1 + MSS, { window: 9 });
    expect(peer.connection.info().sndWnd).toBe(5000);
  });

  test('falls back to the initial window after a long silence', () => {
    const peer = sending(50);
    for (let acknowledged = 10; acknowledged <= 50; acknowledged += 10) {
      peer.send('A', 1, 1 + acknowledged * MSS);
      peer.take();
    }
    expect(peer.connection.info().cwnd).toBeGreaterThan(10 * MSS);
    peer.pass(10_000);
    peer.connection.write(Buffer.alloc(50 * MSS));
    expect(peer.take()).toHaveLength(10);
  });
});

describe('small segments', () => {
  test('Nagle holds the second one back until the first is acknowledged', () => {
    const peer = established();
    peer.connection.write(Buffer.from('one'));
    expect(peer.take()).toEqual(['A 1/1 +3']);
    peer.connection.write(Buffer.from('two'));
    peer.connection.write(Buffer.from('three'));
    expect(peer.take()).toEqual([]);
    peer.send('A', 1, 4);
    expect(peer.take()).toEqual(['A 4/1 +8']);
  });

  test('the end of the stream is not held back', () => {
    const peer = established();
    peer.connection.write(Buffer.from('one'));
    peer.take();
    peer.connection.write(Buffer.from('two'));
    peer.connection.shutdown();
    expect(peer.take()).toEqual(['FA 4/1 +3']);
  });

  test('noDelay sends each at once', () => {
    const peer = established({ noDelay: true });
    peer.connection.write(Buffer.from('one'));
    peer.take();
    peer.connection.write(Buffer.from('two'));
    expect(peer.take()).toEqual(['A 4/1 +3']);
  });

  test('setNoDelay lets go what waits', () => {
    const peer = established();
    peer.connection.write(Buffer.from('one'));
    peer.take();
    peer.connection.write(Buffer.from('two'));
    peer.connection.setNoDelay(true);
    expect(peer.take()).toEqual(['A 4/1 +3']);
  });
});

describe('loss, for a peer without SACK', () => {
  const reno = { congestion: 'reno' } as const;

  test('three duplicates send the first segment again, and halve the window', () => {
    const peer = sending(10, reno);
    const duplicate = () => peer.send('A', 1, 1);
    duplicate();
    duplicate();
    expect(peer.take()).toEqual([]);
    duplicate();
    expect(peer.take()).toEqual(['A 1/1 +1000']);
    expect(peer.connection.info()).toMatchObject({ retransmits: 1, ssthresh: 5 * MSS });
  });

  test('the first two duplicates let new data go (limited transmit)', () => {
    const peer = established();
    peer.connection.write(Buffer.alloc(50 * MSS));
    peer.take();
    peer.send('A', 1, 1);
    expect(peer.take()).toEqual(['A 10001/1 +1000']);
    peer.send('A', 1, 1);
    expect(peer.take()).toEqual(['A 11001/1 +1000']);
  });

  test.each([
    { name: 'with data', extras: { data: 1 } },
    { name: 'with another window', extras: { window: 50_000 } },
  ])('an equal ACK $name is no duplicate', ({ extras }) => {
    const peer = sending(10);
    peer.send('A', 1, 1);
    peer.send('A', 1, 1);
    peer.send('A', 1, 1, extras);
    expect(peer.take().filter((text) => text.endsWith('+1000'))).toEqual([]);
    expect(peer.connection.info().retransmits).toBe(0);
  });

  test('a partial ACK sends the next hole again; a full one ends recovery', () => {
    const peer = sending(10, reno);
    for (let count = 0; count < 7; count += 1) peer.send('A', 1, 1);
    expect(peer.take()).toEqual(['A 1/1 +1000']);
    peer.send('A', 1, 1 + 4 * MSS);
    expect(peer.take()).toEqual(['A 4001/1 +1000']);
    peer.send('A', 1, 1 + 10 * MSS);
    expect(peer.take()).toEqual([]);
    expect(peer.connection.info()).toMatchObject({ retransmits: 2, cwnd: 5 * MSS });
  });

  test('the timer sends again, later each time, from the oldest on', () => {
    const peer = sending(3, reno);
    expect(peer.pass(1000)).toEqual(['200: A 1/1 +1000', '600: A 1/1 +1000']);
    expect(peer.connection.info()).toMatchObject({ cwnd: MSS, ssthresh: 2 * MSS, timeouts: 2 });
    peer.send('A', 1, 1 + MSS);
    expect(peer.take()).toEqual(['A 1001/1 +1000', 'A 2001/1 +1000']);
  });

  test('what was sent before a timeout makes no duplicates', () => {
    const peer = sending(10);
    peer.pass(200);
    for (let count = 0; count < 9; count += 1) peer.send('A', 1, 1);
    expect(peer.take()).toEqual([]);
    expect(peer.connection.info()).toMatchObject({ cwnd: MSS, retransmits: 1 });
  });

  test('the timeout keeps its length until a segment is acknowledged that was sent once', () => {
    const peer = sending(1);
    peer.pass(650);
    expect(peer.connection.info().rtoMs).toBe(800);
    peer.send('A', 1, 1 + MSS);
    expect(peer.connection.info().rtoMs).toBe(800);
    peer.connection.write(Buffer.alloc(MSS));
    peer.take();
    peer.pass(50);
    peer.send('A', 1, 1 + 2 * MSS);
    expect(peer.connection.info().rtoMs).toBe(206.25);
  });

  test('a repeated FIN is sent like data', () => {
    const peer = established();
    peer.connection.shutdown();
    expect(peer.take()).toEqual(['FA 1/1']);
    expect(peer.pass(300)).toEqual(['200: FA 1/1']);
  });

  test('nothing acknowledged for five minutes ends it', () => {
    const peer = sending(3);
    const sent = peer.pass(300_000);
    expect(peer.events).toEqual(['connected', 'closed timed-out']);
    expect(sent.at(-1)).toMatch(/^300000: RA/);
    expect(peer.connection.done).toBe(true);
  });

  test('an ICMP error only explains the timeout then', () => {
    const peer = sending(3);
    peer.connection.icmpError('refused', serialAdd(LOCAL_ISN, 1));
    expect(peer.state).toBe('ESTABLISHED');
    peer.pass(300_000);
    expect(peer.events).toEqual(['connected', 'closed unreachable']);
  });
});

describe('a closed window', () => {
  test('is asked for again, and used when it opens', () => {
    const peer = established();
    peer.send('A', 1, 1, { window: 0 });
    peer.connection.write(Buffer.alloc(MSS));
    expect(peer.take()).toEqual([]);
    expect(peer.pass(1400)).toEqual(['200: A 0/1', '600: A 0/1', '1400: A 0/1']);
    peer.send('A', 1, 1, { window: 5000 });
    expect(peer.take()).toEqual(['A 1/1 +1000']);
  });

  test('ends the connection after five minutes, however often the peer answers', () => {
    const peer = established();
    peer.send('A', 1, 1, { window: 0 });
    peer.connection.write(Buffer.alloc(MSS));
    peer.take();
    for (let minute = 0; minute < 6; minute += 1) {
      peer.pass(60_000);
      peer.send('A', 1, 1, { window: 0 });
    }
    expect(peer.events).toEqual(['connected', 'closed timed-out']);
  });

  test('a window too small to be worth it is used after a while', () => {
    const peer = established();
    peer.send('A', 1, 1, { window: 10 });
    peer.connection.write(Buffer.alloc(MSS));
    expect(peer.take()).toEqual([]);
    expect(peer.pass(200)).toEqual(['200: A 1/1 +10']);
  });

  test('a FIN waits for room too', () => {
    const peer = established();
    peer.send('A', 1, 1, { window: 0 });
    peer.connection.shutdown();
    expect(peer.take()).toEqual([]);
    peer.send('A', 1, 1, { window: 100 });
    expect(peer.take()).toEqual(['FA 1/1']);
  });
});

describe('the send buffer', () => {
  test('tells when it is above its mark, and when there is room again', () => {
    const peer = established({ sendBufferBytes: 20 * MSS });
    expect(peer.connection.write(Buffer.alloc(10 * MSS))).toBe(true);
    expect(peer.connection.write(Buffer.alloc(10 * MSS))).toBe(false);
    peer.take();
    expect(peer.events).toEqual(['connected']);
    peer.send('A', 1, 1 + 5 * MSS);
    peer.take();
    expect(peer.events).toEqual(['connected', 'writable']);
  });

  test('counts what tiny writes really cost', () => {
    const peer = established({ sendBufferBytes: 100_000 });
    let writes = 0;
    do writes += 1;
    while (peer.connection.write(Buffer.from('x')));
    expect(writes).toBeLessThan(1000);
  });

  test('takes nothing after the end', () => {
    const peer = established();
    peer.connection.shutdown();
    expect(peer.connection.write(Buffer.from('late'))).toBe(false);
    expect(peer.take()).toEqual(['FA 1/1']);
  });
});

describe('the path', () => {
  const quoted = serialAdd(LOCAL_ISN, 1);

  test('a smaller MTU cuts what is in flight, and what follows', () => {
    const peer = sending(2, { mtu: 1400 });
    peer.connection.pathMtu(600, quoted, 0);
    const lengths = ['A 1/1 +560', 'A 561/1 +440', 'A 1001/1 +560', 'A 1561/1 +440'];
    expect(peer.take()).toEqual(lengths);
    expect(peer.connection.info()).toMatchObject({ mss: 560, cwnd: 10 * MSS });
  });

  test.each([
    { name: 'of what is not in flight', mtu: 600, sequence: 5 * MSS },
    { name: 'that was acknowledged', mtu: 600, sequence: 0 },
    { name: 'that our segment fits', mtu: 1100, sequence: 1 },
  ])('an MTU $name is not believed', ({ mtu, sequence }) => {
    const peer = sending(2);
    peer.connection.pathMtu(mtu, serialAdd(LOCAL_ISN, sequence), 0);
    expect(peer.connection.info().mss).toBe(MSS);
  });

  test('nothing makes segments tiny', () => {
    const peer = sending(2);
    peer.connection.pathMtu(68, quoted, 0);
    expect(peer.connection.info().mss).toBe(536);
  });

  test('segments get shorter when long ones get no answer', () => {
    const peer = new ScriptedPeer({ timestamps: false, windowScaling: false });
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { mss: 1360 });
    peer.connection.write(Buffer.alloc(1360));
    peer.take();
    const sent = peer.pass(10_000);
    expect(sent.map((text) => text.split(' ').at(-1))).toEqual([
      '+1360',
      '+1360',
      '+1220',
      '+1220',
      '+536',
    ]);
  });
});
