/**
 * Asks one small query over and over on one connection, in a process of its own, so that the work of whoever started it
 * is no part of the answer times. Prints the median and the 99th percentile, in microseconds.
 */
import { httpLoad } from './http-load.js';
import { quantile } from './statistics.js';
import { restRequest } from './ways.js';

const [port = '', token = '', milliseconds = ''] = process.argv.slice(2);
const { microseconds } = await httpLoad(Number(port), restRequest('GET', token), {
  ...{ connections: 1, milliseconds: Number(milliseconds) },
});
process.stdout.write(`${quantile(microseconds, 0.5)} ${quantile(microseconds, 0.99)}\n`);
