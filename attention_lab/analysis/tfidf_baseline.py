"""A baseline without a network: tf-idf and balanced logistic regression, one for each word."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from attention_lab.data.labelled import Labelled


def predict(train: Labelled, test: Labelled) -> list[str]:
    """The class of each test sentence, by a logistic regression for its word on tf-idf (scikit-learn).

    Words are separated by spaces, counts enter as 1 + their logarithm, classes weigh the same
    (class_weight="balanced"), the inverse regularisation strength is 10. A word with one class in train
    always gets it. ValueError for a word in test that train lacks.
    """
    predicted = np.empty(len(test), object)
    for word in sorted(set(test.word)):
        in_train, in_test = ([i for i, other in enumerate(part.word) if other == word]
                             for part in (train, test))
        if not in_train:
            raise ValueError(f"the word {word!r} is in test but not in train, which has "
                             f"{', '.join(sorted(set(train.word))) or 'none'}")
        examples = train.select(in_train)
        if len(set(examples.label)) == 1:
            predicted[in_test] = examples.label[0]
            continue
        tfidf = TfidfVectorizer(token_pattern=r"\S+", sublinear_tf=True)
        features = tfidf.fit_transform(examples.text)
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
        model.fit(features, examples.label)
        predicted[in_test] = model.predict(tfidf.transform(test.select(in_test).text))
    return predicted.tolist()
