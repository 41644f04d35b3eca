// What the demos share: real VMs, gateways and whatever else runs until Ctrl-C, in a directory that goes with them.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../apps/gateway/bin/qmp-gateway.js', import.meta.url));
const children = [];
let stopping = false;

export const directory = mkdtempSync(join(tmpdir(), 'qmp-gateway-demo-'));

process.on('SIGINT', () => stop(0)).on('SIGTERM', () => stop(0));

/** Runs what starts everything: whatever goes wrong, also as Ctrl-C came in the middle of it, nothing is left behind. */
export async function begin(starting) {
  try {
    await starting();
  } catch (error) {
    await fail(error.stack);
  }
}

/** @param gone called with a sentence when it ends by itself */
export function start(name, program, args, gone = () => undefined) {
  // A process group of its own, so that Ctrl-C reaches only this script, which then stops its children in order.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  child.on('error', (error) => fail(`${name}: ${error.message}`));
  child.on('exit', (code, signal) => {
    child.ended = true;
    if (!stopping) gone(`${name} ended (${signal ?? code})`);
  });
  children.push(child);
  return child;
}

export function startVm(vm) {
  const accelerator = canUseKvm() ? ['-accel', 'kvm', '-accel', 'tcg'] : ['-accel', 'tcg'];
  start(vm, 'qemu-system-x86_64', [
    ...['-name', vm, '-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35', ...accelerator],
    ...['-m', '64', '-device', 'VGA', '-device', 'pcie-root-port,id=rp0', '-object', 'rng-builtin,id=rng'],
    ...['-vnc', 'none', '-chardev', `socket,id=qmp0,path=${monitor(vm)},server=on,wait=off`],
    ...['-mon', 'chardev=qmp0,mode=control'],
  ]);
}

function canUseKvm() {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function monitor(vm) {
  return join(directory, `${vm}.qmp`);
}

/** @returns where it listens, and its process @param port taken if it is free @param gone as of `start` */
export async function startGateway(name, { port, state, vms, args = [], gone }) {
  const listen = (await isFree(port)) ? port : 0;
  const child = start(
    name,
    process.execPath,
    [
      ...[bin, 'serve', '--listen', `127.0.0.1:${listen}`, '--state', state, '--log-level', 'warn', ...args],
      ...vms.flatMap((vm) => ['--vm', `${vm}=unix:${monitor(vm)}`]),
    ],
    gone,
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^qmp-gateway listening on (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return { url, pid: child.pid };
  }
  return fail(`${name} ended before it listened`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** @returns a promise that stays open: there is nothing to go on with */
export function fail(message) {
  if (!stopping) process.stderr.write(`demo: ${message}\n`);
  stop(1);
  return new Promise(() => undefined);
}

async function stop(code) {
  if (stopping) return;
  stopping = true;
  for (const child of children.reverse()) {
    if (child.ended || child.pid === undefined) continue;
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  if (existsSync(directory)) rmSync(directory, { recursive: true });
  process.exit(code);
}
