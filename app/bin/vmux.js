#!/usr/bin/env node
import { launch, stateHome } from './launch.js';

await launch('vmux', stateHome('VMUX_HOME', '.vmux'), 'app/headset/vmux');
