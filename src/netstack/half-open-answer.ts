import type { Millis } from '../core/machine.ts';
import { serialAdd } from '../core/serial.ts';
import type { FlowKey } from './flow-key.ts';
import { IpPath } from './ip-path.ts';
import { barePacket } from './tcp/bare-packet.ts';
import { Ecn } from './tcp/ecn.ts';
import type { HalfOpen } from './tcp/half-open.ts';
import { OUR_WINDOW_SHIFT } from './tcp/receiver.ts';
import { Flag, Segment } from './tcp/segment.ts';
import { announcedMss } from './tcp/tcb.ts';
import type { TcpSettings } from './tcp/tcp-options.ts';
import type { TcpPath } from './tcp/tcp-path.ts';

/** The window that a SYN-ACK tells: never scaled (RFC 7323 §2.2). */
export function firstWindow(settings: TcpSettings): number {
  return Math.min(settings.receiveBufferBytes, LARGEST_FIELD);
}

/**
 * What a caller without a connection is told: the same SYN-ACK that the connection would send, or
 * the acknowledgement of his SYN.
 *
 * @param limits of the way to the caller
 */
export function answerCaller(
  kind: 'syn-ack' | 'ack',
  key: FlowKey,
  caller: HalfOpen,
  settings: TcpSettings,
  limits: Pick<TcpPath, 'mtu' | 'mssLimit'>,
  now: Millis,
): Buffer {
  const { localAddress, remoteAddress } = key.tuple();
  const path = new IpPath(localAddress, remoteAddress, key.hash(0));
  const answer = new Segment();
  const { options } = answer;
  const scales = settings.windowScaling && caller.windowScale >= 0;
  answer.sourcePort = key.localPort;
  answer.destinationPort = key.remotePort;
  answer.sequence = caller.initialSequence;
  answer.acknowledgment = serialAdd(caller.sequence, 1);
  options.hasTimestamps = settings.timestamps && caller.hasTimestamps;
  options.timestamp = serialAdd(caller.timestampOffset, Math.floor(now));
  options.echo = caller.timestamp;
  if (kind === 'ack') {
    answer.flags = Flag.ACK;
    answer.sequence = serialAdd(caller.initialSequence, 1);
    answer.window = firstWindow(settings) >>> (scales ? OUR_WINDOW_SHIFT : 0);
  } else {
    const ecn = new Ecn(settings.ecn);
    ecn.negotiate(caller.flags, true);
    answer.flags = Flag.SYN | Flag.ACK | ecn.synAckFlags;
    answer.window = firstWindow(settings);
    const { ipHeaderBytes } = path;
    options.mss = announcedMss({ ...limits, ipHeaderBytes }, settings);
    options.windowScale = scales ? OUR_WINDOW_SHIFT : -1;
    options.sackPermitted = settings.sack && caller.sackPermitted;
  }
  return barePacket(answer, path);
}

const LARGEST_FIELD = 0xffff;
