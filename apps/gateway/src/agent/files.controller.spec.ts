import 'reflect-metadata';
import { Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayRequest } from '../access/authenticated-request.js';
import { Principal } from '../access/principal.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { ReplyBudget } from '../http/reply-budget.js';
import { asProblem, problemBody } from '../problems/problem.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { vmNotFound } from '../vms/vm-registry.js';
import { AgentTasks } from './agent-tasks.js';
import { FileLimits, FilesController } from './files.controller.js';

class TestModule {
  readonly name = 'files';
}

const limits = { commandBytes: 1e6, lineBytes: 1e6, fileBytes: 10 };
const replies = new ReplyBudget({ replyBytes: 1e6 });
const principal = new Principal('p', 'p', { level: 'host', vms: ['*'] });
const directory = {
  require: (_: Principal, id: string) => {
    if (id === 'none') throw vmNotFound(id);
    return { id, agent: id === 'bare' ? null : { id } };
  },
};
let application: INestApplication;

/** What Nest adds is at stake here: parts of a request that are read for a handler, and its VM. */
beforeAll(async () => {
  const provide = (token: unknown, useValue: unknown) => ({ provide: token as symbol, useValue });
  Module({
    controllers: [FilesController],
    providers: [
      provide(VmDirectory, directory),
      provide(CheckedCommandPath, { refusalOf: () => undefined }),
      provide(FileLimits, new FileLimits(limits)),
      provide(AgentTasks, new AgentTasks()),
      provide(ReplyBudget, replies),
    ],
  })(TestModule);
  application = await NestFactory.create(TestModule, { logger: false, bodyParser: false });
  application.use((request: GatewayRequest, _: ServerResponse, next: () => void) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    request.gateway = { principal, requestId: 'r', arrivedAt: 0, path, query, answerHeaders: {}, replies };
    next();
  });
  application.useGlobalFilters({
    catch: (thrown, host) => {
      const problem = asProblem(thrown);
      const response = host.switchToHttp().getResponse<ServerResponse>();
      response.writeHead(problem.status).end(JSON.stringify(problemBody(problem)));
    },
  });
  await application.listen(0, '127.0.0.1');
});
afterAll(() => application.close());

async function problem(path: string, init: RequestInit = {}): Promise<unknown> {
  const { port } = (application.getHttpServer() as Server).address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/vms/${path}`, init);
  return init.method === 'HEAD' ? { status: response.status } : response.json();
}

const octets = { 'Content-Type': 'application/octet-stream' };

describe('a request for files of a guest', () => {
  it('is told every fault of its query and its headers at once', async () => {
    const headers = { ...octets, 'Content-Digest': 'md5=:x:' };
    expect(await problem('web/agent/files?verify=maybe&patch=a', { method: 'PUT', body: 'x', headers })).toMatchObject({
      status: 400,
      code: 'invalid-request',
      errors: [
        { in: 'query', pointer: '/patch', suggestions: ['path'] },
        { in: 'query', pointer: '/path', message: 'missing' },
        { in: 'query', pointer: '/verify', message: 'must be true or false' },
        { in: 'header', pointer: '/Content-Digest' },
      ],
    });
  });

  it('is told which header holds the deadline', async () =>
    expect(await problem('web/agent/files?path=a&timeout=5')).toMatchObject({
      errors: [{ in: 'query', pointer: '/timeout', message: 'unknown here; send the header Request-Timeout' }],
    }));

  it.each([
    ['of a VM that is not there', 'none/agent/files?path=a', {}, { code: 'vm-not-found' }],
    ['of a VM without a guest agent', 'bare/agent/files?path=a', {}, { code: 'route-not-found', vm: 'bare' }],
    [
      'whose controls cannot be read',
      'web/agent/files?path=a',
      { headers: { 'Request-Timeout': 'x' } },
      { status: 400 },
    ],
    [
      'with a control where only the header is read',
      'web/agent/files?path=a&timeout=2s',
      {},
      { errors: [{ in: 'query', pointer: '/timeout', message: 'unknown here; send the header Request-Timeout' }] },
    ],
    [
      'with a control that no header gives it either',
      'web/agent/files?path=a&dryRun=true',
      {},
      { errors: [{ in: 'query', pointer: '/dryRun', message: 'unknown; it takes path' }] },
    ],
    ['of another type', 'web/agent/files?path=a', { method: 'PUT', body: '{}' }, { code: 'unsupported-media-type' }],
    [
      'that is too large',
      'web/agent/files?path=a',
      { method: 'PUT', body: '01234567890', headers: octets },
      { code: 'body-too-large' },
    ],
  ])('%s is refused', async (_, path, init, refusal) => expect(await problem(path, init)).toMatchObject(refusal));
});
