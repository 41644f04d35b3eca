import { describe, expect, it } from 'vitest';
import { branchName, ComponentNames, folded, inPascalCase } from './component-names.js';

describe('names of components', () => {
  it('differ in letters and digits, whatever their case', () => {
    const names = new ComponentNames(['DryRunHeader']);
    const wanted = ['ImageInfoSpecificRbd', 'ImageInfoSpecific.rbd', 'image_info_specific_rbd', 'dryRunHeader'];
    const taken = wanted.map((name) => names.take(name));
    expect(taken).toEqual([
      'ImageInfoSpecificRbd',
      'ImageInfoSpecific_rbd_2',
      'image_info_specific_rbd_3',
      'dryRunHeader_2',
    ]);
    expect(new Set(taken.map(folded)).size).toBe(wanted.length);
  });

  it('of branches are made of the union and the value', () => {
    const values = ['file', 'host_device', 'null-co', 'qcow2', 'x-vfio', 'sha256'];
    expect(values.map((value) => branchName('BlockdevOptions', value))).toEqual([
      'BlockdevOptionsOfFile',
      'BlockdevOptionsOfHostDevice',
      'BlockdevOptionsOfNullCo',
      'BlockdevOptionsOfQcow2',
      'BlockdevOptionsOfXVfio',
      'BlockdevOptionsOfSha256',
    ]);
    expect(inPascalCase('__proto__')).toBe('Proto');
  });
});
