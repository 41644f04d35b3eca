import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { publicAnswers, sendPublicDocument } from '../http/public-document.js';
import { text } from '../http/resource/field-type.js';
import { Resource, Tag } from '../http/resource/resource.js';
import { Problem } from '../problems/problem.js';
import { DocsFiles } from './docs-files.js';

/**
 * What the page may do: run the scripts served here and talk to this gateway. Swagger UI shows pictures of its style
 * sheet as `data:` and those in answers as `blob:`.
 */
const pageHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

/** The path of a file has the hash of what is in it. */
const fileHeaders = { 'Cache-Control': 'public, max-age=31536000, immutable' };

/** The page `/docs`: Swagger UI with a page and scripts of ours in place of its template. */
@Tag('service', 'The gateway itself')
@Controller('docs')
export class DocsController {
  #files: DocsFiles | undefined;

  @Get()
  @Resource({
    id: 'getDocs',
    summary: 'Swagger UI',
    answers: publicAnswers({ what: 'A page', content: { 'text/html': text() } }),
  })
  page(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return sendPublicDocument(request, response, this.#all.page, pageHeaders);
  }

  @Get('files/:hash/:file')
  @Resource({
    id: 'getDocsFile',
    summary: 'A script, style sheet or picture of the page',
    path: {
      hash: { type: text(), what: 'Hash of all files, as the page has it' },
      file: { type: text(), what: 'Name of the file' },
    },
    answers: publicAnswers({
      what: 'The file',
      content: { 'text/javascript': text(), 'text/css': text(), 'image/png': text() },
    }),
    problems: ['route-not-found'],
  })
  async file(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Param() { hash = '', file = '' }: Record<string, string>,
  ): Promise<void> {
    const found = this.#all.file(hash, file);
    if (found === undefined) throw new Problem('route-not-found', 'The page has no such file; load the page again.');
    await sendPublicDocument(request, response, found, fileHeaders);
  }

  /** Read on first demand: most gateways are never asked. */
  get #all(): DocsFiles {
    return (this.#files ??= new DocsFiles());
  }
}
