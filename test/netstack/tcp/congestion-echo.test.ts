import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { codepointOf } from '../../../src/netstack/tcp/ecn.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { buildSegment, LOCAL_ISN, REMOTE_ISN, ScriptedPeer } from './scripted-peer.ts';

const MSS = 1000;
const CAPABLE = 2;
const CONGESTED = 3;

/** An active connection; `synAck` are the flags of the peer's answer. */
function opened(options: Partial<TcpOptions>, synAck: string): ScriptedPeer {
  const peer = new ScriptedPeer({ timestamps: false, windowScaling: false, ...options });
  peer.connection.connect(0);
  peer.take();
  peer.send(synAck, 0, 1, { mss: MSS });
  peer.take();
  return peer;
}

/** Sends a full segment with a mark in its IP header. */
function sendMarked(peer: ScriptedPeer, flags: string, sequence: number, mark: number): void {
  const packet = buildSegment(flags, serialAdd(REMOTE_ISN, sequence), serialAdd(LOCAL_ISN, 1), {
    data: MSS,
  });
  packet.writeUInt8(0x45, 0);
  packet.writeUInt8(mark, 1);
  peer.feed(packet);
}

/** The marks of the packets that are sent now. */
function marks(peer: ScriptedPeer): number[] {
  const found: number[] = [];
  peer.connection.endOfBurst(peer.now);
  for (;;) {
    const packet = peer.connection.takeDown(peer.now);
    if (packet === undefined) return found;
    packet.writeUInt8(0x45, 0);
    found.push(codepointOf(packet));
  }
}

describe('congestion notification that was not asked for', () => {
  test('our SYN says nothing of it, nor our SYN-ACK', () => {
    const active = new ScriptedPeer();
    active.connection.connect(0);
    expect(active.take()).toEqual(['S 0']);
    const passive = new ScriptedPeer();
    passive.feed(Buffer.alloc(0));
    const syn = buildSegment('SEW', REMOTE_ISN, 0, { mss: MSS });
    passive.connection.accept(syn, 20, 0);
    expect(passive.take()).toEqual(['SA 0/1']);
  });

  test('the bits of a peer change nothing', () => {
    const peer = opened({}, 'SAE');
    expect(peer.state).toBe('ESTABLISHED');
    for (const [index, flags] of ['AE', 'AW', 'AEW'].entries()) {
      sendMarked(peer, flags, 1 + index * MSS, CONGESTED);
    }
    expect(new Set(peer.take())).toEqual(new Set([`A 1/${1 + 2 * MSS}`, `A 1/${1 + 3 * MSS}`]));
    peer.connection.write(Buffer.alloc(MSS));
    expect(marks(peer)).toEqual([0]);
    peer.send('FAEW', 1 + 3 * MSS, 1 + MSS);
    expect(peer.state).toBe('CLOSE-WAIT');
  });
});

describe('congestion notification', () => {
  test('is asked for in the first SYN only', () => {
    const peer = new ScriptedPeer({ ecn: true });
    peer.connection.connect(0);
    expect(peer.take()).toEqual(['SEW 0']);
    expect(peer.pass(1000)).toEqual(['1000: S 0']);
  });

  test('is agreed to in a SYN-ACK', () => {
    const peer = new ScriptedPeer({ ecn: true });
    peer.connection.accept(buildSegment('SEW', REMOTE_ISN, 0, { mss: MSS }), 20, 0);
    expect(peer.take()).toEqual(['SAE 0/1']);
  });

  test.each([
    { synAck: 'SAE', mark: CAPABLE },
    { synAck: 'SA', mark: 0 },
    { synAck: 'SAEW', mark: 0 },
  ])('new data is marked after $synAck as $mark, acknowledgements never', ({ synAck, mark }) => {
    const peer = opened({ ecn: true }, synAck);
    peer.send('A', 1, 1, { data: MSS });
    expect(marks(peer)).toEqual([0]);
    peer.connection.write(Buffer.alloc(2 * MSS));
    expect(marks(peer)).toEqual([mark, mark]);
    peer.now += 5000;
    peer.connection.onTimeout(peer.now);
    expect(marks(peer)[0]).toBe(0);
  });

  test('a mark is echoed in everything until the peer has reacted', () => {
    const peer = opened({ ecn: true }, 'SAE');
    sendMarked(peer, 'A', 1, CONGESTED);
    expect(peer.take()).toEqual([`AE 1/${1 + MSS}`]);
    sendMarked(peer, 'A', 1 + MSS, CAPABLE);
    expect(peer.take()).toEqual([`AE 1/${1 + 2 * MSS}`]);
    peer.connection.write(Buffer.alloc(10));
    expect(peer.take()).toEqual([`AE 1/${1 + 2 * MSS} +10`]);
    sendMarked(peer, 'AW', 1 + 2 * MSS, CAPABLE);
    expect(peer.take()).toEqual([`A 11/${1 + 3 * MSS}`]);
  });

  test('a mark in a segment out of the window is not looked at (RFC 3168 §6.1.5)', () => {
    const peer = opened({ ecn: true }, 'SAE');
    sendMarked(peer, 'A', 200_000, CONGESTED);
    expect(peer.take()).toEqual(['A 1/1']);
  });
});
