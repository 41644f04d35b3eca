import { Controller, Get, Inject, Param, Put, Req, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { CheckedCommandPath, requireAgent } from '../commands/command-path.js';
import { requireReadable } from '../commands/readable-text.js';
import { ReplyRoom } from '../commands/reply-room.js';
import { readResourceControls } from '../commands/request-commands.js';
import { beginStream, sendJson } from '../listeners/answer.js';
import { onlyParameters } from '../listeners/query-parameters.js';
import type { GatewayRequest, RequestContext } from '../listeners/request-context.js';
import { fileTypeProblem, useBody } from '../listeners/streamed-body.js';
import { Problem } from '../problems/problem.js';
import type { Limits } from '../settings/settings.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { AgentCommands, requireAll } from './agent-commands.js';
import { AgentTasks } from './agent-tasks.js';
import { written } from './back-pressure.js';
import { contentDigest, Digest, readingCommands, writingCommands } from './guest-file.js';
import { readGuestFile } from './read-guest-file.js';
import { tooLarge, writeGuestFile } from './write-guest-file.js';

/** Past this a larger part is no faster; two of them are in memory for each transfer. */
const mostReadBytes = 512 * 1024;
const mostWriteBytes = 192 * 1024;
/** What a command or a reply has around its base64. */
const aroundBytes = 512;
const longestPath = 4096;

/** How a file is cut: into parts that fit a command and a line, as the settings have them now. */
export class FileLimits {
  constructor(private readonly limits: Pick<Limits, 'commandBytes' | 'lineBytes' | 'fileBytes'>) {}

  get readBytes(): number {
    return Math.min(mostReadBytes, inBase64(this.limits.lineBytes));
  }

  get writeBytes(): number {
    return Math.min(mostWriteBytes, inBase64(this.limits.commandBytes));
  }

  get fileBytes(): number {
    return this.limits.fileBytes;
  }
}

/** Bytes whose base64 fits in so many. */
function inBase64(bytes: number): number {
  return Math.max(3, Math.floor((bytes - aroundBytes) / 4) * 3);
}

/** `/v1/vms/{vm}/agent/files?path=`: files of the guest, streamed both ways in parts that the agent takes. */
@Controller('v1/vms/:vm/agent/files')
@UseGuards(ReplyRoom)
export class FilesController {
  constructor(
    @Inject(VmDirectory) private readonly directory: VmDirectory,
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(FileLimits) private readonly limits: FileLimits,
    @Inject(AgentTasks) private readonly tasks: AgentTasks,
  ) {}

  @Get()
  async read(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Param('vm') id: string): Promise<void> {
    // Express answers HEAD by the GET route, and would read the whole file for it.
    if (request.method === 'HEAD')
      throw new Problem('method-not-allowed', 'Files are read with GET.', { headers: { Allow: 'GET, PUT' } });
    const path = pathOf(onlyParameters(request.gateway.query, ['path']));
    const agent = await this.#agent(request, id, readingCommands);
    await this.tasks.run('files', id, () => this.#send(agent, path, request.gateway, response));
  }

  async #send(agent: AgentCommands, path: string, context: RequestContext, response: ServerResponse): Promise<void> {
    const parts = readGuestFile(agent, path, this.limits.readBytes);
    // A file that can't be had is a problem, so its first bytes come before the status.
    const first = await parts.next();
    const type = 'application/octet-stream';
    beginStream(response, context, type, {}, { Trailer: 'Content-Digest', 'Content-Disposition': 'attachment' });
    const digest = new Digest();
    try {
      for (let part = first; part.done !== true && !response.destroyed; part = await parts.next()) {
        digest.add(part.value);
        await written(response, part.value);
      }
      response.addTrailers({ 'Content-Digest': contentDigest(digest.finish()) });
      response.end();
    } catch {
      // Too late for a status: an answer that breaks off says that it is not whole. The audit log says why.
      response.destroy();
    } finally {
      await parts.return();
    }
  }

  @Put()
  async write(@Req() request: GatewayRequest, @Res() response: ServerResponse, @Param('vm') id: string): Promise<void> {
    const query = onlyParameters(request.gateway.query, ['path', 'verify']);
    const path = pathOf(query);
    const verify = query.get('verify') ?? 'true';
    if (verify !== 'true' && verify !== 'false')
      throw new Problem('invalid-request', 'verify: must be true or false.', {
        errors: [{ pointer: 'verify', message: 'must be true or false' }],
      });
    const wrongType = fileTypeProblem(request);
    if (wrongType !== undefined) throw wrongType;
    const { fileBytes: limit, readBytes, writeBytes } = this.limits;
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    const agent = await this.#agent(request, id, writingCommands);
    const expected = expectedDigest(request.headers['content-digest']);
    const options = { readBytes, writeBytes, limit, verify: verify === 'true', ...expected };
    const file = await this.tasks.run('files', id, () =>
      useBody(request, (parts) => writeGuestFile(agent, path, parts, options)),
    );
    sendJson(response, 200, JSON.stringify(file));
  }

  async #agent(request: GatewayRequest, id: string, commands: readonly string[]): Promise<AgentCommands> {
    const { gateway: context, headers } = request;
    requireAgent(this.directory.require(context.principal, id));
    const controls = readResourceControls(headers);
    await requireAll(this.path, context, id, commands);
    return new AgentCommands(this.path, context, id, controls);
  }
}

function pathOf(query: URLSearchParams): string {
  const [path = '', ...others] = query.getAll('path');
  requireReadable('parameter "path"', path);
  if (path !== '' && path.length <= longestPath && others.length === 0 && !path.includes('\0')) return path;
  throw new Problem('invalid-request', 'path: name one file of the guest.', {
    errors: [{ pointer: 'path', message: `must be one path of at most ${longestPath} characters` }],
  });
}

/** The SHA-256 among the digests of RFC 9530; others are not asked for and not looked at. */
function expectedDigest(header: string | string[] | undefined): { expected?: string } {
  if (header === undefined) return {};
  const expected = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(String(header))?.[1];
  if (expected === undefined)
    throw new Problem('invalid-request', 'Content-Digest: must be sha-256=:…:.', {
      errors: [{ pointer: 'Content-Digest', message: 'must be sha-256=:…:' }],
    });
  return { expected: `sha-256=:${expected}:` };
}
