import { testHandshakes } from './handshake-loss.ts';

testHandshakes(30, { p50: 2_576, p90: 9_576 });
