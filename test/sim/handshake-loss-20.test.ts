import { testHandshakes } from './handshake-loss.ts';

testHandshakes(20, { p50: 1_081, p90: 4_077 });
