// Texts of the view "compare": keys begin with "compare."; both languages have the same keys.
export default { en: {}, zh: {} };
