/** Of this package, as traces say what they were made with; a test holds it to package.json. */
export const SALLYPORT_VERSION = '0.1.0';
