// Texts of the view "judge": keys begin with "judge."; both languages have the same keys.
export default { en: {}, zh: {} };
