# Plain Python loops, and lists for results; slips are off by one, or a sum that ends too early.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    n, m, N = len(W), len(X), len(X[0])
    Y = []
    for l in range(n):
        row = [0.0] * N
        for s in range(N):
            for j in range(m - 1):
                row[s] += float(W[l][j]) * float(X[j][s])
            row[s] += float(b[l])
        Y.append(row)
    return Y

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    G, X, W = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    n, N = G.shape
    m = X.shape[0]
    dX, dW, db = np.zeros((m, N)), np.zeros((n, m)), np.zeros(n)
    for s in range(N):
        for i in range(m):
            for l in range(n):
                dX[i, s] += W[l, i] * G[l, s]
    for s in range(N - 1):
        for l in range(n):
            for i in range(m):
                dW[l, i] += G[l, s] * X[i, s]
            db[l] += G[l, s]
    return dX, dW, db

# %% batch_proof [markdown]
# For one sample $\partial L / \partial W_{ij} = \frac{\partial L}{\partial y_i} x_j$, $\partial L / \partial b_i = \frac{\partial L}{\partial y_i}$ and
# $\partial L/\partial x_i = \sum_l W_{li} \frac{\partial L}{\partial y_l}$. For a batch I put a loop over the samples around it and add up for $W$ and $b$.
# Written together the sums are $W^\top G$, $G X^\top$ and $\sum_s G_{is}$.

# %% softmaxloss_proof [markdown]
# For $i \ne c$: $\frac{d}{dx_i} \log \sum_j e^{x_j} = e^{x_i} / \sum_j e^{x_j} = p_i$. For $i = c$ there is one more term, $-1$. The mean divides by $N$.

# %% relu_forward
def relu_forward(X):
    return [[float(x) if x > 0 else 0.0 for x in row] for row in X]

# %% relu_backward
def relu_backward(dL_dY, X):
    result = []
    for gradients, row in zip(dL_dY, X):
        result.append([float(g) if x > 0 else 0.0 for g, x in zip(gradients, row)])
    return result

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    X = np.asarray(X, dtype=float)
    total = 0.0
    for s in range(X.shape[1]):
        largest = max(X[:, s])
        summed = 0.0
        for i in range(X.shape[0]):
            summed += np.exp(X[i, s] - largest)
        total += largest + np.log(summed) - X[int(labels[s]) - 1, s]
    return total / X.shape[1]

# %% softmaxloss_backward
def softmaxloss_backward(X, labels):
    X = np.asarray(X, dtype=float)
    k, N = X.shape
    gradient = [[0.0] * N for _ in range(k)]
    for s in range(N):
        powers = [np.exp(x - max(X[:, s])) for x in X[:, s]]
        for i in range(k):
            gradient[i][s] = (powers[i] / sum(powers) - (i == int(labels[s]))) / N
    return gradient

# %% gradient_check
def gradient_check(f, x, df, h):
    x, df = np.array(x, dtype=float), np.asarray(df, dtype=float)
    worst = 0.0
    for index in np.ndindex(x.shape):
        x[index] += h
        up = f(x)
        x[index] -= 2 * h
        down = f(x)
        q = (up - down) / (2 * h)
        worst = max(worst, abs(df[index] - q) / max(abs(df[index]), abs(q), 1e-8))
    return worst

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = np.array(w, dtype=float), np.asarray(g, dtype=float), np.array(m, dtype=float)
    for index in np.ndindex(w.shape):
        m[index] = mu * m[index] + (1 - mu) * g[index]
        w[index] = w[index] - lr * (m[index] + wd * w[index])
    return w.tolist(), m.tolist()

# %% count_parameters
def count_parameters(sizes):
    total = 0
    for n in range(1, len(sizes)):
        total += int(sizes[n - 1]) * int(sizes[n]) + int(sizes[n])
    return total

# %% train
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    images, labels = np.asarray(images, dtype=float), np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    W1, b1 = rng.normal(size=(hidden, 64)) * np.sqrt(2 / 64), np.zeros(hidden)
    W2, b2 = rng.normal(size=(10, hidden)) * np.sqrt(2 / hidden), np.zeros(10)
    average = [0.0, 0.0, 0.0, 0.0]
    losses = []
    for epoch in range(epochs):
        order = rng.permutation(labels.size)
        for start in range(0, labels.size, 32):
            batch = order[start : start + 32]
            total, gradients = 0.0, [np.zeros(W1.shape), np.zeros(hidden), np.zeros(W2.shape), np.zeros(10)]
            for sample in batch:
                x = images[:, sample]
                z = W1 @ x + b1
                y = W2 @ np.maximum(z, 0) + b2
                p = np.exp(y - max(y)) / sum(np.exp(y - max(y)))
                total -= np.log(p[labels[sample]])
                p[labels[sample]] -= 1
                back = (W2.T @ p) * (z > 0)
                for total_gradient, share in zip(gradients, (np.outer(back, x), back, np.outer(p, np.maximum(z, 0)), p)):
                    total_gradient += share / len(batch)
            losses.append(total / len(batch))
            for number in range(4):
                average[number] = mu * average[number] + (1 - mu) * gradients[number]
            W1 = W1 - lr * (average[0] + wd * W1)
            b1 = b1 - lr * (average[1] + wd * b1)
            W2 = W2 - lr * (average[2] + wd * W2)
            b2 = b2 - lr * (average[3] + wd * b2)
    return (W1, b1, W2, b2), losses

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    C = [[0] * k for _ in range(k)]
    for n in range(len(true) - 1):
        C[int(true[n])][int(predicted[n])] += 1
    return C

# %% precision_recall
def precision_recall(C):
    k = len(C)
    precision, recall = [0.0] * k, [0.0] * k
    for j in range(k):
        called = sum(float(C[i][j]) for i in range(k))
        there = sum(float(C[j][i]) for i in range(k))
        if called > 0:
            precision[j] = float(C[j][j]) / called
        if there > 0:
            recall[j] = float(C[j][j]) / there
    return precision, recall

# %% reading_the_network [markdown]
# Each image belongs to one hidden unit. Some show strokes, some show nothing. In the confusion matrix nearly all digits are on the
# diagonal. The misread ones are badly written.
