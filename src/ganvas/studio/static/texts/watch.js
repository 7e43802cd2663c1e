// Texts of the view "watch": keys begin with "watch."; both languages have the same keys.
export default { en: {}, zh: {} };
