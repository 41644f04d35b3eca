#!/usr/bin/env node
import { existsSync } from 'node:fs';

const distribution = new URL('../dist/', import.meta.url);
if (!existsSync(distribution)) {
  process.stderr.write('qmp-gateway is not built yet: run npm run build\n');
  process.exit(1);
}
const { runClientWords } = await import(new URL('client-words.js', distribution).href);
if (!(await runClientWords(process.argv.slice(2)))) {
  // Before the rest is loaded, which takes a second: a signal may come at once.
  const { ProcessSignals } = await import(new URL('process-signals.js', distribution).href);
  const signals = process.argv[2] === 'serve' ? new ProcessSignals() : undefined;
  const { main } = await import(new URL('main.js', distribution).href);
  await main(process.argv, () => signals ?? new ProcessSignals());
}
