// Texts of the view "sample": keys begin with "sample."; both languages have the same keys.
export default { en: {}, zh: {} };
