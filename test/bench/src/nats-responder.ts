/**
 * Answers requests over NATS with as many bytes as it is told, and does nothing else.
 *
 * Started as a process of its own: `node nats-responder.js URL SUBJECT BYTES`. Prints a line when it is there.
 */
import { connect } from '@nats-io/transport-node';

const [, , servers = '', subject = '', bytes = '0'] = process.argv;
const answer = new Uint8Array(Number(bytes));
const connection = await connect({ servers });
connection.subscribe(subject, { callback: (_error, message) => void message.respond(answer) });
await connection.flush();
process.stdout.write('ready\n');
