import { LAST_PACKET_ID } from './packet-id-source.ts';

/** Where a key must be replaced whatever the profile says. Tests lower them. */
export interface KeyLimits {
  /** Packet id from which a renegotiation is due. */
  readonly packetId: number;
  /** The last packet id that a key may seal with. At most 0xffff_ffff. */
  readonly lastPacketId: number;
  /** Packets and 16-byte blocks of one direction under an AES-GCM key. */
  readonly gcmUsage: number;
  /** Forged packets from which a renegotiation is due, and the next epoch where there are epochs. */
  readonly failedOpens: number;
  /** Forged packets from which a key opens nothing any more. */
  readonly maxFailedOpens: number;
  /** Epoch of sent packets from which a renegotiation is due. */
  readonly epoch: number;
  /** Packets and 16-byte blocks of one direction in one epoch of an AES-GCM key. */
  readonly epochUsage: number;
  /** The last counter that one epoch may seal with. At most 2⁴⁸ − 1. */
  readonly lastEpochCounter: number;
}

/** OpenVPN 2.7's limits (crypto.h, crypto_epoch.h, packet_id.h). */
export const KEY_LIMITS: KeyLimits = {
  packetId: 0xff00_0000,
  lastPacketId: LAST_PACKET_ID,
  gcmUsage: (2 ** 36 / 8) * 7,
  failedOpens: 2 ** 35,
  maxFailedOpens: 2 ** 36,
  epoch: 0xf000,
  epochUsage: 2 ** 36 - 1,
  lastEpochCounter: 2 ** 48 - 1,
};
