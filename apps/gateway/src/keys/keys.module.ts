import { Module } from '@nestjs/common';
import { Keyboards } from './keyboards.js';
import { KeysController } from './keys.controller.js';

/** The keyboard of a VM. */
@Module({
  controllers: [KeysController],
  providers: [{ provide: Keyboards, useFactory: () => new Keyboards() }],
})
export class KeysModule {}
