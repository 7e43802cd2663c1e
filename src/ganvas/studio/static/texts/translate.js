// Texts of the view "translate": keys begin with "translate."; both languages have the same keys.
export default { en: {}, zh: {} };
