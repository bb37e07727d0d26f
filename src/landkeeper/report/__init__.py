"""The report: stored data as one HTML page. Pure: values go in, a document and a page come out."""
