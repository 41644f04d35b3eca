/**
 * As a NestJS service does it, on Express: a controller, and a provider that holds the monitor. Takes the path of the
 * monitor's socket, prints its port.
 */
import 'reflect-metadata';
import { connect, type AddressInfo, type Socket } from 'node:net';
import {
  BadGatewayException,
  Body,
  Controller,
  HttpCode,
  Injectable,
  Module,
  Param,
  Post,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

interface Line {
  readonly QMP?: unknown;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

@Injectable()
class QmpService implements OnModuleInit {
  private socket!: Socket;
  private text = '';
  private lastId = 0;
  private readonly waiting = new Map<number, Waiting>();

  async onModuleInit(): Promise<void> {
    this.socket = connect(process.argv[2] ?? '');
    await new Promise<void>((resolve) => {
      this.socket.on('data', (chunk) => {
        const lines = (this.text + chunk.toString()).split('\n');
        this.text = lines.pop() ?? '';
        for (const line of lines) this.onLine(JSON.parse(line) as Line, resolve);
      });
    });
    await this.execute('qmp_capabilities', {});
  }

  execute(command: string, args: object): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  private onLine(line: Line, greeted: () => void): void {
    if (line.QMP !== undefined) greeted();
    if (line.id === undefined) return;
    const waiting = this.waiting.get(line.id);
    this.waiting.delete(line.id);
    if (line.error === undefined) waiting?.resolve(line.return);
    else waiting?.reject(new BadGatewayException(line.error.desc));
  }
}

@Controller('v1/vms/bench/qmp')
class QmpController {
  constructor(private readonly qmp: QmpService) {}

  @Post(':command')
  @HttpCode(200)
  run(@Param('command') command: string, @Body() args: object): Promise<unknown> {
    return this.qmp.execute(command, args);
  }
}

@Module({ controllers: [QmpController], providers: [QmpService] })
class AppModule {}

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error', 'warn'] });
const server = await app.listen(0, '127.0.0.1');
process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
