import { testHandshakes } from './handshake-loss.ts';

testHandshakes(5, { p50: 82, p90: 1_075 });
