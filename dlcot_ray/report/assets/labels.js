const LABEL_KEYS = [];
const labelPage = (detail) => tracePage(detail);
const labelKey = () => false;
const wholeSearch = () => null;
