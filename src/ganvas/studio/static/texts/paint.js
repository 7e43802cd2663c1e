// Texts of the view "paint": keys begin with "paint."; both languages have the same keys.
export default { en: {}, zh: {} };
