#!/usr/bin/env node
// Clients that ask a gateway again and again until it refuses their connections, later where it says so, and read each answer to
// its end:
//
//   AUTH='Authorization: Bearer …' node asking-clients.mjs URL CLIENTS
//
// Prints how requests ended. Status 1 unless each had its result or a problem as documented, whole.

import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const [url, clients] = process.argv.slice(2);
const [, authorization] = /^Authorization: (.*)$/.exec(process.env.AUTH ?? '') ?? [];
/** How many ended so. */
const ends = new Map();

await Promise.all(Array.from({ length: Number(clients) }, client));
for (const [end, count] of ends) process.stdout.write(`${count} ${end}\n`);
const good = /^(?:result|problem [a-z-]+ 5\d\d|refused)$/;
process.exit([...ends.keys()].every((end) => good.test(end)) && ends.has('result') ? 0 : 1);

async function client() {
  for (let end = ''; end !== 'refused';) {
    end = await ask().catch((error) =>
      error.code === 'ECONNREFUSED' ? 'refused' : `cut: ${error.code} ${error.message}`,
    );
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
}

async function ask() {
  // A connection of its own: what is sent on one that is kept may cross its end.
  const sent = request(url, { agent: false, headers: { Authorization: authorization } }).end();
  const [response] = await once(sent, 'response');
  const body = await text(response);
  const { statusCode: status, headers } = response;
  if (Buffer.byteLength(body) !== Number(headers['content-length'])) return `cut: ${body.length} bytes`;
  const value = JSON.parse(body);
  if (status === 200) return typeof value.running === 'boolean' ? 'result' : `another result: ${body}`;
  if (headers['retry-after'] !== undefined) await delay(Number(headers['retry-after']) * 1000);
  const isProblem = headers['content-type'] === 'application/problem+json' && value.status === status;
  return isProblem && value.type === `/problems/${value.code}`
    ? `problem ${value.code} ${status}`
    : `no problem: ${body}`;
}
