import type { Program } from './programs.ts'

/** A browser, for tests of web pages; with a font for Latin and one for Chinese, which it does not bring. */
export const CHROMIUM: Program = {
  name: 'chromium',
  debianPackages: ['chromium', 'fonts-roboto-unhinted', 'fonts-wqy-microhei'],
  variable: 'WELLPOOL_TEST_CHROMIUM',
}
