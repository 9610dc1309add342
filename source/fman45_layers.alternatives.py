# Right answers for the notebook of layers whose samples are columns, written otherwise.

# %% fully_connected_forward
# explicit loops, a list of lists
def fully_connected_forward(X, W, b):
    X = np.asarray(X, dtype=float)
    return [[float(np.dot(row, x)) + float(bias) for x in X.T] for row, bias in zip(W, b)]

# %% fully_connected_forward
# einsum, and a bias turned into one more weight
def fully_connected_forward(X, W, b):
    X = np.vstack([X, np.ones((1, np.shape(X)[1]))])
    return np.einsum("ij,js->is", np.column_stack([W, b]), X)

# %% fully_connected_forward
# float32 results
def fully_connected_forward(X, W, b):
    return (np.asarray(X, dtype=float).T @ np.asarray(W, dtype=float).T + np.asarray(b)).T.astype(np.float32)

# %% fully_connected_backward
# a list, and a bias gradient of shape (n, 1)
def fully_connected_backward(dL_dY, X, W, b):
    dL_dY, X, W = np.array(dL_dY, dtype=float), np.array(X, dtype=float), np.array(W, dtype=float)
    return [np.dot(dL_dY.T, W).T, np.dot(X, dL_dY.T).T, np.sum(dL_dY, axis=1, keepdims=True)]

# %% fully_connected_backward
# sample by sample, outer products added up
def fully_connected_backward(dL_dY, X, W, b):
    G, X, W = (np.asarray(a, dtype=float) for a in (dL_dY, X, W))
    by_X, by_W, by_b = np.empty(X.shape), np.zeros(W.shape), np.zeros(len(W))
    for s in range(X.shape[1]):
        by_X[:, s] = W.T @ G[:, s]
        by_W += np.outer(G[:, s], X[:, s])
        by_b += G[:, s]
    return by_X, by_W, by_b

# %% relu_forward
# half of x + |x|
def relu_forward(X):
    X = np.asarray(X, dtype=float)
    return (X + np.abs(X)) / 2

# %% relu_forward
# a copy, then a mask
def relu_forward(X):
    Y = np.array(X, dtype=float)
    Y[Y < 0] = 0
    return Y

# %% relu_backward
# slope 1 at the kink
def relu_backward(dL_dY, X):
    return np.where(np.asarray(X) >= 0, dL_dY, 0.0)

# %% relu_backward
# slope 1/2 at the kink
def relu_backward(dL_dY, X):
    return np.asarray(dL_dY, dtype=float) * (1 + np.sign(X)) / 2

# %% softmaxloss_forward
# log-sum-exp by NumPy
def softmaxloss_forward(X, labels):
    X = np.asarray(X, dtype=float)
    right = np.take_along_axis(X, np.asarray(labels, dtype=int)[None, :], axis=0)
    return np.mean(np.logaddexp.reduce(X, axis=0) - right)

# %% softmaxloss_forward
# explicit loops, plain floats; no power of a large number
def softmaxloss_forward(X, labels):
    total = 0.0
    for s, c in enumerate(labels):
        column = [float(row[s]) for row in X]
        top = max(column)
        total += top - column[int(c)] + float(np.log(sum(np.exp(x - top) for x in column)))
    return total / len(labels)

# %% softmaxloss_backward
# one-hot columns from the identity
def softmaxloss_backward(X, labels):
    X = np.asarray(X, dtype=float)
    k, N = X.shape
    P = np.exp(X - np.logaddexp.reduce(X, axis=0))
    return (P - np.eye(k)[:, np.asarray(labels, dtype=int)]) / N

# %% softmaxloss_backward
# np.add.at, in float32 at the end
def softmaxloss_backward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    P = np.exp(X - X.max(axis=0, keepdims=True))
    P /= P.sum(axis=0, keepdims=True)
    np.add.at(P, (labels, np.arange(len(labels))), -1.0)
    return (P / len(labels)).astype(np.float32)

# %% gradient_check
# a flat copy, moved and moved back
def gradient_check(f, x, df, h):
    x, df = np.array(x, dtype=float), np.asarray(df, dtype=float)
    worst = 0.0
    for i in range(x.size):
        index = np.unravel_index(i, x.shape)
        kept = x[index]
        x[index] = kept + h
        up = f(x.copy())
        x[index] = kept - h
        down = f(x.copy())
        x[index] = kept
        q = (up - down) / (2 * h)
        worst = max(worst, abs(df[index] - q) / max(abs(df[index]), abs(q), 1e-8))
    return worst

# %% gradient_check
# the rows of an identity as steps; warnings on the way to right values
def gradient_check(f, x, df, h):
    x, df = np.asarray(x, dtype=float), np.asarray(df, dtype=float)
    steps = (h * np.eye(x.size)).reshape(x.size, *x.shape)
    q = np.array([f(x + step) - f(x - step) for step in steps]).reshape(x.shape) / (2 * h)
    with_zeros = np.abs(df - q) / np.maximum(np.abs(df), np.abs(q))
    return np.max(np.where(np.maximum(np.abs(df), np.abs(q)) < 1e-8, np.abs(df - q) / 1e-8, with_zeros))

# %% momentum_step
# the average moves towards the gradient, the weights shrink first
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = (np.array(a, dtype=float) for a in (w, g, m))
    m += (1 - mu) * (g - m)
    w *= 1 - lr * wd
    w -= lr * m
    return w, m

# %% momentum_step
# float32, and a list of two
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = (np.asarray(a, dtype=float) for a in (w, g, m))
    average = np.average([m, g], axis=0, weights=[mu, 1 - mu])
    return [(w - lr * (average + wd * w)).astype(np.float32), average.astype(np.float32)]

# %% count_parameters
# a plain integer, from an explicit loop
def count_parameters(sizes):
    total = 0
    for layer in range(1, len(sizes)):
        total += int(sizes[layer]) * (int(sizes[layer - 1]) + 1)
    return total

# %% count_parameters
# an inner product, and a float
def count_parameters(sizes):
    sizes = np.asarray(sizes, dtype=float)
    return float(np.dot(sizes[1:], sizes[:-1] + 1))

# %% train
# everything in one function, no help from the layers
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    X, t = np.asarray(images, dtype=float), np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    W1, b1 = np.sqrt(2 / 64) * rng.standard_normal((hidden, 64)), np.zeros((hidden, 1))
    W2, b2 = np.sqrt(2 / hidden) * rng.standard_normal((10, hidden)), np.zeros((10, 1))
    moving = {name: 0.0 for name in ("W1", "b1", "W2", "b2")}
    history = []
    for epoch in range(epochs):
        order = np.arange(t.size)
        rng.shuffle(order)
        seen = []
        for start in range(0, t.size, 32):
            chosen = order[start : start + 32]
            x, n = X[:, chosen], len(chosen)
            Z = np.dot(W1, x) + b1
            H = np.maximum(0, Z)
            S = np.dot(W2, H) + b2
            S = S - S.max(axis=0)
            P = np.exp(S) / np.exp(S).sum(axis=0)
            seen.extend(-np.log(P[t[chosen], np.arange(n)]))
            P[t[chosen], np.arange(n)] -= 1
            dS = P / n
            dZ = np.dot(W2.T, dS) * (Z > 0)
            gradients = {"W1": np.dot(dZ, x.T), "b1": dZ.sum(axis=1, keepdims=True)}
            gradients |= {"W2": np.dot(dS, H.T), "b2": dS.sum(axis=1, keepdims=True)}
            for name, gradient in gradients.items():
                moving[name] = mu * moving[name] + (1 - mu) * gradient
            W1 = W1 - lr * (moving["W1"] + wd * W1)
            b1 = b1 - lr * (moving["b1"] + wd * b1)
            W2 = W2 - lr * (moving["W2"] + wd * W2)
            b2 = b2 - lr * (moving["b2"] + wd * b2)
        history.append(np.mean(seen))
    return (W1, b1.ravel(), W2, b2.ravel()), np.array(history)

# %% train
# layers drawn in the other order
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = rng.permutation(N)
        total = 0.0
        for start in range(0, N, 32):
            batch = order[start : start + 32]
            X, c = images[:, batch], labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            total += loss * len(batch)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total / N)
    return tuple(parameters), losses

# %% train
# batches of nearly equal size
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = rng.permutation(N)
        total = 0.0
        for batch in np.array_split(order, -(-N // 32)):
            X, c = images[:, batch], labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            total += loss * len(batch)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total / N)
    return tuple(parameters), losses

# %% train
# a while loop
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = rng.permutation(N)
        total = 0.0
        rest = list(order)
        while rest:
            batch, rest = np.array(rest[:32]), rest[32:]
            X, c = images[:, batch], labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            total += loss * len(batch)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total / N)
    return tuple(parameters), losses

# %% train
# all orders drawn first
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    N = len(labels)
    orders = [rng.permutation(N) for _ in range(epochs)]
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = orders[epoch]
        total = 0.0
        for start in range(0, N, 32):
            batch = order[start : start + 32]
            X, c = images[:, batch], labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            total += loss * len(batch)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total / N)
    return tuple(parameters), losses

# %% train
# loss on the way, after each step
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = rng.permutation(N)
        total = 0.0
        for start in range(0, N, 32):
            batch = order[start : start + 32]
            X, c = images[:, batch], labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
            total += loss_and_gradients(parameters, X, c)[0] * len(batch)
        losses.append(total / N)
    return tuple(parameters), losses

# %% train
# float32
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = rng.permutation(N)
        total = 0.0
        for start in range(0, N, 32):
            batch = order[start : start + 32]
            X, c = images[:, batch].astype(np.float32), labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            total += loss * len(batch)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total / N)
    return [w.astype(np.float32) for w in parameters], np.array(losses, dtype=np.float32)

# %% train
# the mean loss measured at the end of each epoch; random keys sorted; columns
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = np.argsort(rng.random(N))
        for start in range(0, N, 32):
            batch = order[start : start + 32]
            X, c = images[:, batch], labels[batch]
            gradients = loss_and_gradients(parameters, X, c)[1]
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(float(loss_and_gradients(parameters, images, labels)[0]))
    return [w.reshape(len(w), -1) for w in parameters], np.array(losses)[:, None]

# %% confusion_matrix
# pairs as one number, counted
def confusion_matrix(true, predicted, k):
    pairs = k * np.asarray(true, dtype=int) + np.asarray(predicted, dtype=int)
    return np.bincount(pairs, minlength=k * k).reshape(k, k)

# %% confusion_matrix
# explicit loops, a list of lists of integers
def confusion_matrix(true, predicted, k):
    C = [[0] * k for _ in range(k)]
    for i, j in zip(true, predicted):
        C[int(i)][int(j)] += 1
    return C

# %% confusion_matrix
# a product of one-hot rows, as floats
def confusion_matrix(true, predicted, k):
    classes = np.arange(k)[:, None]
    return (classes == np.asarray(true)).astype(float) @ (classes == np.asarray(predicted)).T

# %% precision_recall
# divides 0 by 0, with a warning, and replaces what comes of it
def precision_recall(C):
    C = np.asarray(C, dtype=float)
    return np.nan_to_num(np.diag(C) / C.sum(axis=0)), np.nan_to_num(np.diag(C) / C.sum(axis=1))

# %% precision_recall
# explicit loops; columns of shape (k, 1)
def precision_recall(C):
    k = len(C)
    precision, recall = np.zeros((k, 1)), np.zeros((k, 1))
    for c in range(k):
        called, there = sum(C[i][c] for i in range(k)), sum(C[c][j] for j in range(k))
        precision[c] = C[c][c] / called if called else 0
        recall[c] = C[c][c] / there if there else 0
    return precision, recall
