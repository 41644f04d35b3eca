import { Global, Module } from '@nestjs/common';
import { ResourceBook } from '../http/resource/resource-book.js';
import { VmDirectory } from '../vms/vm-directory.js';
import { SocketLeavers } from './socket-connection.js';
import { SocketRouter } from './socket-router.js';
import { StreamCounts } from './stream-counts.js';

/** What all WebSockets have in common. */
@Global()
@Module({
  providers: [
    SocketLeavers,
    StreamCounts,
    {
      provide: SocketRouter,
      inject: [ResourceBook, VmDirectory, SocketLeavers],
      useFactory: (...[book, directory, leavers]: [ResourceBook, VmDirectory, SocketLeavers]) =>
        new SocketRouter(book.routes, { directory, leavers }),
    },
  ],
  exports: [SocketLeavers, StreamCounts, SocketRouter],
})
export class UpgradesModule {}
