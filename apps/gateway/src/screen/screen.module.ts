import { Module } from '@nestjs/common';
import { systemClock } from '@qmp-gateway/qmp';
import { resolve } from 'node:path';
import { SettingsToken, type Settings } from '../settings/settings.js';
import { StateDirectory } from '../state/state-directory.js';
import { groupId } from '../settings/group-id.js';
import { VncDisplays } from '../vnc/vnc-displays.js';
import { PictureDirectory } from './picture-directory.js';
import { ScreenController } from './screen.controller.js';
import { Screenshots } from './screenshots.js';
import { VncPictures } from './vnc-pictures.js';

function pictureDirectory({ pictures: { dir, group } }: Settings, state: StateDirectory): PictureDirectory {
  const path = dir === undefined ? state.file('pictures') : resolve(dir);
  return new PictureDirectory(path, group === undefined ? undefined : groupId(group));
}

/** What a VM shows. */
@Module({
  controllers: [ScreenController],
  providers: [
    { provide: PictureDirectory, inject: [SettingsToken, StateDirectory], useFactory: pictureDirectory },
    {
      provide: Screenshots,
      inject: [PictureDirectory, VncDisplays],
      useFactory: (pictures: PictureDirectory, displays: VncDisplays) =>
        new Screenshots(pictures, new VncPictures(displays, systemClock)),
    },
  ],
})
export class ScreenModule {}
