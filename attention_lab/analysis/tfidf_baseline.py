"""A classifier without a network: tf-idf and balanced logistic regression, word by word."""

import numpy as np

from attention_lab.data.labelled import Labelled


def predict(train: Labelled, test: Labelled) -> list[str]:
    """The class of each test sentence, by a logistic regression of its word on tf-idf (scikit-learn).

    Words are what spaces part, counts enter by 1 + their logarithm, classes weigh the same
    (class_weight="balanced"), the inverse strength of the penalty is 10. A word with one class in train gets
    it always.

    Raises:
      ValueError: a word in test that train lacks.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    found = np.empty(len(test), object)
    for word in sorted(set(test.word)):
        own, asked = ([i for i, one in enumerate(part.word) if one == word] for part in (train, test))
        if not own:
            raise ValueError(f"the word {word!r} is in test but not in train, which has "
                             f"{', '.join(sorted(set(train.word))) or 'none'}")
        known = train.select(own)
        if len(set(known.label)) == 1:
            found[asked] = known.label[0]
            continue
        features = TfidfVectorizer(token_pattern=r"\S+", sublinear_tf=True)
        seen = features.fit_transform(known.text)
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000).fit(seen, known.label)
        found[asked] = model.predict(features.transform(test.select(asked).text))
    return found.tolist()
