import { Global, Module } from '@nestjs/common';
import type { ClassSettings } from '@qmp-gateway/catalog';
import { CommandClassesToken } from '../access/policy/command-classes.js';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { DocsController } from './docs.controller.js';
import { DocumentsController } from './documents.controller.js';
import { loadCatalogs } from './load-catalogs.js';
import { SchemaDocuments } from './schema-documents.js';
import { SchemaStore } from './schema-store.js';

/** Models of what VMs offer, and the documents made of them. */
@Global()
@Module({
  controllers: [DocumentsController, DocsController],
  providers: [
    {
      provide: SchemaStore,
      inject: [CommandClassesToken, SettingsToken],
      useFactory: (classes: ClassSettings, { catalogs }: Settings) => new SchemaStore(classes, loadCatalogs(catalogs)),
    },
    { provide: SchemaDocuments, useFactory: () => new SchemaDocuments() },
  ],
  exports: [SchemaStore, SchemaDocuments],
})
export class SchemasModule {}
