"""The report: what is known, as one page to look at. Pure: values in, a document and a page out."""
