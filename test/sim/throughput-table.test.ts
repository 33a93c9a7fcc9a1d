import { expect, test } from 'vitest';
import { BulkFlow } from './bulk-flow.ts';
import { cubicWindow, renoWindow } from './response-function.ts';

const LOSS_PERCENT = [0, 0.1, 1, 5] as const;
const ROUND_TRIP_MS = [10, 40, 100] as const;
const WINDOW_BYTES = [65_536, 1_048_576] as const;
const MSS = 1348;
/** 100 Mbit/s with a queue of 50 ms. */
const RATE = {
  bytesPerMs: 12_500,
  queueBytes: 625_000,
  sizeOf: (packet: Buffer) => packet.length,
};
const DURATION_MS = 20_000;

/** One line of the table: what was measured, and what the models allow. Unit: Mbit/s. */
function row(lossPercent: number, roundTripMs: number, windowBytes: number): string {
  const server = { receiveBufferBytes: windowBytes, maxReceiveBufferBytes: windowBytes };
  const measured = (['reno', 'cubic'] as const).map((congestion) => {
    const link = { delayMs: roundTripMs / 2, lossPercent, rate: RATE };
    const flow = new BulkFlow({ seed: 7, link, server, client: { congestion } });
    return megabits(flow.run(DURATION_MS));
  });
  const limit = Math.min(RATE.bytesPerMs, windowBytes / roundTripMs);
  // A direction of the line loses data, the other one only acknowledgements: they do not count.
  const models = [renoWindow, cubicWindow].map((model) => {
    if (lossPercent === 0) return megabits(limit);
    const rate = (model(lossPercent / 100, roundTripMs) * MSS) / roundTripMs;
    return megabits(Math.min(limit, rate));
  });
  const where = [
    `${lossPercent}`.padStart(6),
    `${roundTripMs}`.padStart(6),
    `${windowBytes}`.padStart(9),
  ];
  return [...where, ...measured, ...models].join(' ');
}

function megabits(bytesPerMs: number): string {
  return ((bytesPerMs * 8) / 1000).toFixed(2).padStart(8);
}

test('the goodput of a sender that always has something to send', async () => {
  const rows = LOSS_PERCENT.flatMap((loss) =>
    ROUND_TRIP_MS.flatMap((roundTrip) =>
      WINDOW_BYTES.map((window) => row(loss, roundTrip, window)),
    ),
  );
  const head = [
    'Goodput in Mbit/s over 20 s of virtual time at 100 Mbit/s with a queue of 50 ms. The models are',
    'min(rate, window / RTT, formula): Mathis for Reno, RFC 9438 section 5 for CUBIC.',
    'loss %  RTT ms    window     reno    cubic   Mathis RFC 9438',
  ];
  await expect([...head, ...rows, ''].join('\n')).toMatchFileSnapshot('throughput-table.txt');
}, 180_000);
