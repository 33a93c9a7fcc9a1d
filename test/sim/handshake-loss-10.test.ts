import { testHandshakes } from './handshake-loss.ts';

testHandshakes(10, { p50: 578, p90: 1_580 });
