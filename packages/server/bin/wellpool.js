#!/usr/bin/env node
// A file of its own, which is there before anything is built: npm links what it finds when it installs.
import '../dist/cli/main.js'
