import { Module } from '@nestjs/common';
import { QomController } from './qom.controller.js';

/** The object tree of a VM. */
@Module({ controllers: [QomController] })
export class QomModule {}
