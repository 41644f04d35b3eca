import { Controller, Get, Inject, Put, Req, Res, UseGuards } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthenticatedContext } from '../access/authenticated-request.js';
import { CheckedCommandPath } from '../commands/command-path.js';
import { beginStream } from '../http/answer.js';
import { JsonAnswer } from '../http/json-answer.js';
import { ReplyRoom } from '../http/reply-room.js';
import { anything } from '../http/resource/field-type.js';
import { header, HeadersOf, json, QueryOf, Resource } from '../http/resource/resource.js';
import { shape } from '../http/resource/shape.js';
import { fileTypeProblem, useBody } from '../http/streamed-body.js';
import type { Limits } from '../settings/settings.js';
import { AgentCommands, requireAll } from './agent-commands.js';
import { WrittenFile } from './agent-shapes.js';
import { AgentTag } from './agent-tag.js';
import { AgentTasks } from './agent-tasks.js';
import { written } from './back-pressure.js';
import { FileDigest, FileToRead, FileToWrite } from './file-request.js';
import { contentDigest, Digest, readingCommands, writingCommands } from './guest-file.js';
import { readGuestFile } from './read-guest-file.js';
import { RequestForAgent, type AgentRequest } from './request-for-agent.js';
import { tooLarge, writeGuestFile } from './write-guest-file.js';

const fileType = 'application/octet-stream';
/** Past this a larger part is no faster; two of them are in memory for each transfer. */
const mostReadBytes = 512 * 1024;
const mostWriteBytes = 192 * 1024;
/** What a command or a reply has around its base64. */
const aroundBytes = 512;

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
@AgentTag
@Controller('v1/vms/:vm/agent/files')
@UseGuards(ReplyRoom)
export class FilesController {
  constructor(
    @Inject(CheckedCommandPath) private readonly path: CheckedCommandPath,
    @Inject(FileLimits) private readonly limits: FileLimits,
    @Inject(AgentTasks) private readonly tasks: AgentTasks,
  ) {}

  @Get()
  @Resource({
    id: 'readGuestFile',
    head: false,
    summary: 'Read a file of the guest',
    description: 'Streamed as the agent gives it. An answer that breaks off is not the whole file.',
    needs: 'level `host`',
    answers: {
      200: {
        what: 'The file; `Content-Digest` (RFC 9530) is a trailer',
        headers: { 'Content-Digest': header('SHA-256 of what was sent') },
        content: { [fileType]: anything({ type: 'string', format: 'binary' }) },
      },
    },
  })
  async read(
    @RequestForAgent() request: AgentRequest,
    @QueryOf(FileToRead) query: FileToRead,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const path = query.guestPath();
    const commands = await this.#commands(request, readingCommands);
    await this.tasks.run('files', request.agent.id, () => this.#send(commands, path, request.caller, response));
  }

  async #send(
    commands: AgentCommands,
    path: string,
    context: AuthenticatedContext,
    response: ServerResponse,
  ): Promise<void> {
    const parts = readGuestFile(commands, path, this.limits.readBytes);
    // A file that can't be had is a problem, so its first bytes come before the status.
    const first = await parts.next();
    const headers = {
      ...{ Trailer: 'Content-Digest', 'Content-Disposition': 'attachment' },
      // Trailers are a part of chunks, which an answer that goes to another node has only where it says so.
      ...(context.handed === undefined ? {} : { 'Transfer-Encoding': 'chunked' }),
    };
    beginStream(response, context, {}, { type: fileType, headers });
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
  @Resource({
    id: 'writeGuestFile',
    summary: 'Write a file of the guest, replacing what is in it',
    description: 'Written as it arrives. A request that fails half way leaves the part that was written.',
    needs: 'level `host`',
    streamedBody: { type: fileType, what: 'At most `limits.fileBytes`' },
    answers: {
      200: json(
        'Written, and checked',
        shape(() => WrittenFile),
      ),
    },
  })
  async write(
    @RequestForAgent() request: AgentRequest,
    @QueryOf(FileToWrite) query: FileToWrite,
    @HeadersOf(FileDigest) digest: FileDigest,
    @Req() body: IncomingMessage,
  ): Promise<JsonAnswer> {
    const path = query.guestPath();
    const wrongType = fileTypeProblem(body);
    if (wrongType !== undefined) throw wrongType;
    const { fileBytes: limit, readBytes, writeBytes } = this.limits;
    if (Number(body.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    const commands = await this.#commands(request, writingCommands);
    const options = { readBytes, writeBytes, limit, verify: query.verify ?? true, expected: digest.sha256 };
    const file = await this.tasks.run('files', request.agent.id, () =>
      useBody(body, (parts) => writeGuestFile(commands, path, parts, options)),
    );
    return JsonAnswer.of(file);
  }

  async #commands({ caller, agent, controls }: AgentRequest, needed: readonly string[]): Promise<AgentCommands> {
    await requireAll(this.path, caller, agent.id, needed);
    return new AgentCommands(this.path, { context: caller, vm: agent.id, controls });
  }
}
